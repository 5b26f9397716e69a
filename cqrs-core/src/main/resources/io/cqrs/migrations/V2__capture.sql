-- The models whose changes triggers capture: Hibernate's capture leaves them to those.
create table capture (
    cqrs_id      text        not null primary key collate "C",
    table_name   text        not null,
    -- What the triggers were made from, to tell whether they still are what is declared.
    definition   text        not null,
    installed_at timestamptz not null default clock_timestamp()
);
