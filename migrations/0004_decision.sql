-- What commune operators decided about two priority bulletins at one time; every decision stays, the
-- last one before its deadline counts.
create table decision (
    id text not null,
    at bigint not null,
    first text not null,
    by_person text not null,
    primary key (id, at, first, by_person)
);
