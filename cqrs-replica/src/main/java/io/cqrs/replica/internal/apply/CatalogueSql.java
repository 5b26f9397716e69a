package io.cqrs.replica.internal.apply;

import java.util.Collections;

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
            where conrelid = ? and contype = 'f' and confrelid <> conrelid and conparentid = 0""";

    /** Partitions may have indexes of their own. */
    private static final String AT_ONCE = """
            (c.relkind = 'p' or exists (select from pg_index i where i.indrelid = c.oid
                and (i.indisunique and not i.indisprimary or i.indisexclusion) offset 0))""";

    /** See {@link ReplicaTable#atOnce}. */
    static final String IS_AT_ONCE = "select " + AT_ONCE + " from pg_class c where c.oid = ?";

    private static final String SHAPES = """
            select c.oid, hashtextextended(concat_ws(' ', c.relname, c.relnamespace::regnamespace, %s,
                (select string_agg(concat_ws(' ', k.contype, k.conkey, k.confrelid), ',' order by k.oid)
                    from pg_constraint k where k.conrelid = c.oid and k.contype in ('p', 'f') and k.conparentid = 0),
                (select string_agg(concat_ws(' ', a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
                        a.attnotnull, a.atthasdef,
                        a.attidentity, a.attgenerated), ',' order by a.attnum)
                    from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)), 0)
            from pg_class c where c.oid in (%s)""";

    private CatalogueSql() {}

    /**
     * A hash of each table's name, columns, keys, and whether it has to see a batch at once. A parameter a table: for an
     * array of unknown length the server would make a plan each time, which takes longer than all else.
     */
    static String shapes(int tables) {
        return SHAPES.formatted(AT_ONCE, String.join(", ", Collections.nCopies(tables, "?::oid")));
    }
}
