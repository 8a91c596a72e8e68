-- One dialect for SQLite and PostgreSQL: text ids, bigint microseconds since 1970 in UTC, JSON as text.
-- Nothing here is ever deleted but what an import replaces; the broadcast log has every change.

-- Named values of the station: its network, its revision.
create table station (
    name text primary key,
    value text not null
);

-- Every trust document that was in force, oldest first.
create table trust (
    version bigint primary key,
    note text not null
);

create table person (
    id text primary key,
    name text not null,
    roles text not null
);

-- Schedule files as they were imported: areas, controllers, policies, programmes.
create table schedule_file (
    name text primary key,
    body text not null
);

-- Controllers that were provisioned: `password` is a digest, `public_key` comes with enrolment.
create table device (
    controller text primary key,
    password text not null,
    public_key text,
    revoked bigint
);

create table bulletin (
    id text primary key,
    doc text not null
);

create table version (
    bulletin text not null,
    language text not null,
    state text not null,
    doc text not null,
    primary key (bulletin, language)
);

-- Recordings that may be fanned out, each with the note that its approver signed.
create table asset (
    digest text primary key,
    descriptor text not null,
    block_bytes bigint not null,
    blocks bigint not null,
    withdrawn bigint
);

-- What was made of a recording that was handed in: a second import finds it here.
create table source (
    digest text not null,
    recipe text not null,
    asset text not null,
    length_ms bigint not null,
    measurement text not null,
    primary key (digest, recipe)
);

-- Facts wait here, in the transaction of their change, until the log has them.
create table fact (
    id text primary key,
    at bigint not null,
    kind text not null,
    who text not null,
    body text not null,
    position bigint
);
create index fact_waiting on fact (id) where position is null;

create table manifest (
    controller text not null,
    number bigint not null,
    doc text not null,
    note text not null,
    fact text not null,
    primary key (controller, number)
);

-- Every airing that a manifest ever named, as the newest one names it.
create table airing (
    programme text not null,
    controller text not null,
    date text not null,
    occurrence bigint not null,
    at bigint not null,
    latest bigint not null,
    manifest bigint not null,
    dropped bigint,
    doc text not null,
    primary key (programme, controller, date, occurrence)
);

create table receipt (
    controller text not null,
    chain text not null,
    n bigint not null,
    at bigint not null,
    kind text not null,
    line text not null,
    fact text not null,
    primary key (controller, chain, n)
);

-- How far each chain of receipts is here.
create table progress (
    controller text not null,
    chain text not null,
    upto bigint not null,
    link text not null,
    fact text not null,
    primary key (controller, chain)
);

-- What became of each airing, from its first receipt.
create table outcome (
    programme text not null,
    controller text not null,
    date text not null,
    occurrence bigint not null,
    outcome text not null,
    cause text not null,
    evidence text not null,
    begun bigint,
    ended bigint,
    doc text not null,
    fact text not null,
    primary key (programme, controller, date, occurrence)
);

create table status (
    controller text primary key,
    seen bigint not null,
    doc text not null
);
