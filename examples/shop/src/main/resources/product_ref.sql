-- The storefront's table. A replica's table is the service's own: keys, indexes and further columns as it likes.
create table if not exists product_ref (
    id            bigint      not null primary key,
    code          text,
    price         numeric(38, 2),
    stock         integer     not null default 0,
    cqrs_revision bigint      not null,
    cqrs_updated  timestamptz not null
);
