-- Certificates of controllers for TLS, by their serial numbers; `revoked` ends one before its time.
create table certificate (
    serial text primary key,
    controller text not null,
    until bigint not null,
    revoked bigint
);
