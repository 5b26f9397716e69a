-- Changes that are committed and wait for the relay. Insert and delete only.
create table outbox (
    id          bigint generated always as identity primary key,
    -- The relay reads by transaction visibility, not by id: ids are not in commit order.
    xid         xid8        not null default pg_current_xact_id(),
    cqrs_id     text        not null,
    instance_pk text        not null,
    routing_key text        not null,
    body        text        not null,
    headers     text,
    created_at  timestamptz not null default clock_timestamp()
) with (
    -- A queue: vacuum by count, often and without pauses, or dead rows slow each read down.
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 50000,
    autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 50000,
    autovacuum_vacuum_cost_delay = 0
);
create index outbox_xid on outbox (xid);

-- Deleted keys, so that a late state of theirs is not created again.
create table tombstone (
    cqrs_id     text        not null collate "C",
    pk          text        not null collate "C",
    updated     timestamptz not null,
    revision    bigint      not null,
    received_at timestamptz not null default clock_timestamp(),
    primary key (cqrs_id, pk)
);
create index tombstone_received on tombstone (cqrs_id, received_at);

-- Up to which time a model's tombstones were purged: a state from before it can't be told from a deleted one.
create table tombstone_horizon (
    cqrs_id text        not null primary key collate "C",
    updated timestamptz not null
);
