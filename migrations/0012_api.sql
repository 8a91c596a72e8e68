-- Programs that act for a person: `secret` is a digest of what the program holds, `scopes` are the actions that it may
-- take as far as the person may, with commas between.
create table token (
    name text primary key,
    secret text not null unique,
    person text not null,
    scopes text not null,
    made bigint not null,
    expires bigint not null,
    seen bigint,
    revoked bigint
);

-- Answers to requests that changed something, under the key that the program gave, so that the same request gets the
-- same answer. `request` is a digest over the request and the token's secret; `status` is empty while it is being done.
create table answered (
    token text not null,
    key text not null,
    request text not null,
    status bigint,
    body text,
    at bigint not null,
    primary key (token, key)
);
create index answered_at on answered (at);
