-- The relay need not look below ids that it has seen before a transaction began: so a transaction has to have begun, as
-- others see it, before it takes its first id. Defaults are computed in the order of the columns: with xid before id each
-- insert does so, without a trigger.
drop trigger outbox_begin on outbox;
drop function outbox_begin();

do $$
declare
    next bigint := nextval(pg_get_serial_sequence('outbox', 'id'));
begin
    alter table outbox add number bigint;
    -- Rewrites the table once, for whatever waits.
    alter table outbox alter number type bigint using id;
    alter table outbox drop id;
    alter table outbox rename number to id;
    alter table outbox alter id set not null, add primary key (id);
    alter table outbox alter id add generated always as identity;
    perform setval(pg_get_serial_sequence('outbox', 'id'), next);
end
$$;
