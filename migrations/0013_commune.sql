-- Who looks after a speaker. A row is what holds now; every change is a fact of the log.

-- Somebody works at it until then: it raises no alarm.
create table maintenance (
    controller text primary key,
    since bigint not null,
    until bigint not null,
    reason text not null,
    by_person text not null
);

-- Somebody takes care of a fault: of this word, and where the link is lost, of this loss.
create table acknowledgement (
    controller text primary key,
    code text not null,
    since bigint,
    at bigint not null,
    note text not null,
    by_person text not null
);

-- The border of an area, as it was imported, simplified.
create table outline (
    area text primary key,
    rings text not null
);

-- A commune's own announcements: where and when the bulletin is heard. `at` is empty until it is known.
create table announcement (
    bulletin text primary key,
    area text not null,
    villages text not null,
    at bigint,
    made bigint not null,
    by_person text not null
);
create index announcement_of on announcement (area, made);

-- When each controller last sounded is asked for by every look at the fleet.
create index outcome_sounded on outcome (controller, evidence, begun);
