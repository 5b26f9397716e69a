-- What the last comparison of a replica with this master found, by model and queue.
create table last_diff (
    cqrs_id  text        not null collate "C",
    queue    text        not null collate "C",
    began_at timestamptz not null,
    missing  bigint      not null,
    stale    bigint      not null,
    ahead    bigint      not null,
    drifted  bigint      not null,
    surplus  bigint      not null,
    sent     bigint      not null,
    deleted  bigint      not null,
    primary key (cqrs_id, queue)
);

-- Deletes that were received before this are forgotten: what was dumped before it may hold rows that are gone. Of a
-- horizon from before this column nothing better is known than that it is past.
alter table tombstone_horizon add column received_before timestamptz not null default clock_timestamp();
