-- Edits of programmes and exceptions that people made at the pages, so that each may take back their own last one.
create table schedule_edit (
    id text primary key,
    at bigint not null,
    person text not null,
    act text not null,
    doc text not null,
    undone bigint
);
create index schedule_edit_person on schedule_edit (person, at);
