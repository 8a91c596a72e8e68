-- How often plan, content, people or devices changed: asked for several times a second, so it is counted when a
-- fact is told and not over all facts.
create table revision (n bigint not null);
insert into revision (n)
select count(*) from fact
where kind not in ('manifest.issued', 'receipts.taken', 'export.made')
and kind not like 'login.%' and kind not like 'session.%'
and kind not like 'speaker.%' and kind not like 'token.%';
