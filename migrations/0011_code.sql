-- One-time codes of devices: the public half of the key that a code makes, never the code. A new code of a
-- controller takes the place of its last one.
create table code (
    controller text primary key,
    public_key text not null,
    until bigint not null,
    used bigint
);
