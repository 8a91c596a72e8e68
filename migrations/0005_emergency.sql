-- Emergencies and their cancels: `note` gathers the officers' signatures; `raised` is set with the last one needed.
create table emergency (
    id text not null,
    action text not null,
    sequence bigint not null,
    begun bigint not null,
    expires bigint not null,
    note text not null,
    raised bigint,
    fact text,
    primary key (id, action)
);

-- Orders to single controllers.
create table device_order (
    controller text not null,
    number bigint not null,
    expires bigint not null,
    note text not null,
    fact text not null,
    primary key (controller, number)
);
