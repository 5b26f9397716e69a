package io.cqrs.replica.internal.apply;

/** What is read from PostgreSQL's catalogue. */
final class CatalogueSql {

    static final String TABLE = """
            select c.oid, n.nspname, c.relname
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.oid = to_regclass(?) and c.relkind in ('r', 'p')""";

    static final String COLUMNS = """
            select a.attname, t.typname, format_type(a.atttypid, -1) as declared,
                   format_type(a.atttypid, a.atttypmod) as exact, a.attnotnull,
                   a.atthasdef or a.attidentity <> '' as has_default, a.attgenerated <> '' as generated,
                   array_position(k.conkey, a.attnum) as key_position
            from pg_attribute a join pg_type t on t.oid = a.atttypid
            left join pg_constraint k on k.conrelid = a.attrelid and k.contype = 'p'
            where a.attrelid = ? and a.attnum > 0 and not a.attisdropped
            order by a.attnum""";

    static final String PARENTS = """
            select distinct confrelid from pg_constraint
            where conrelid = ? and contype = 'f' and confrelid <> conrelid""";

    private CatalogueSql() {}
}
