-- Reports walk the planned airings in order of time; the audit finds what an entry of the log left in the tables.
create index airing_at on airing (at, controller, programme, date, occurrence);
create index receipt_of_fact on receipt (fact);
create index outcome_of_fact on outcome (fact);

-- What must not enter the log as it is: the log has a commitment to it, which `salt` (64 hexadecimal digits) opens.
-- `part` is `name`. Each salt is used once; an erasure deletes the row, and the commitment says nothing any longer.
create table person_secret (
    person text not null,
    part text not null,
    salt text not null,
    body text not null,
    primary key (person, part, salt)
);
create index airing_of_manifest on airing (controller, manifest);
