-- How people sign in at the pages. `password` is an Argon2id string; `second` is the secret of the one-time codes,
-- sealed under a key file of the server; `step` is the last code that was used, so that none counts twice.
create table login (
    person text primary key,
    password text not null,
    second text,
    second_set bigint,
    step bigint not null
);

-- One-time invitations to choose a password: `code` is a digest.
create table invitation (
    code text primary key,
    person text not null,
    expires bigint not null,
    used bigint
);

-- Who is signed in where: `token` is a digest of what the browser holds.
create table session (
    token text primary key,
    person text not null,
    begun bigint not null,
    seen bigint not null,
    second bigint,
    address text not null,
    agent text not null,
    ended bigint
);
create index session_of on session (person);

-- What one controller plays is asked for by every page about it.
create index airing_of on airing (controller, at);
create index outcome_of on outcome (controller, date);
