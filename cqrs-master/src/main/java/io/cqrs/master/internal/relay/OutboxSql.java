package io.cqrs.master.internal.relay;

import io.cqrs.core.schema.CqrsSchema;
import java.util.Map;

/** The relay's statements. */
final class OutboxSql {

    /** The first half of our advisory locks' keys, "cqrs" in ASCII. */
    static final int LOCK_SPACE = 0x63717273;

    /** Plans never scan a queue's table; a delete that is lost with the server's memory is done again. */
    static final Map<String, String> SESSION =
            Map.of("enable_seqscan", "off", "synchronous_commit", "off", "jit", "off");

    /** Parameters: space, key. */
    static final String LOCKED = """
            select exists (select from pg_locks
            where locktype = 'advisory' and granted and objsubid = 2 and classid::int8 = ? and objid::int8 = ?
                and database = (select oid from pg_database where datname = current_database()))""";

    /** Whether a transaction has a number before it takes ids, as defaults are computed in the columns' order: parameter outbox. */
    static final String BEGINS = """
            select exists (select from pg_attribute i join pg_attribute x using (attrelid)
                join pg_attrdef d on d.adrelid = x.attrelid and d.adnum = x.attnum
            where attrelid = to_regclass(?) and i.attname = 'id' and x.attname = 'xid' and x.attnum < i.attnum
                and pg_get_expr(d.adbin, d.adrelid) = 'pg_current_xact_id()')""";

    static final String UNLOCK = "select pg_advisory_unlock(?, ?)";
    static final String TRY_LOCK = "select pg_try_advisory_lock(?, ?)";
    static final String SNAPSHOT = "select pg_current_snapshot()::text";

    /** The same, in a transaction that has a number. */
    static final String MARK = "select pg_current_snapshot()::text, pg_current_xact_id()::text::int8";

    /**
     * Of a transaction that this server has not begun, though what it wrote is here: restored from another server's dump, or
     * come by logical replication.
     */
    private static final String FOREIGN = "xid >= pg_snapshot_xmax(pg_current_snapshot())";

    private final String table;

    OutboxSql(CqrsSchema schema) {
        this.table = schema.outbox().sql();
    }

    /**
     * What committed between two snapshots, beyond an id: parameters after, seen, current, whether rows of another server's
     * transactions count, most rows, bytes.
     */
    String page() {
        return upToBytes("""
                id > ? and not pg_visible_in_snapshot(xid, ?::pg_snapshot)
                    and (pg_visible_in_snapshot(xid, ?::pg_snapshot) or (? and %s))""".formatted(FOREIGN));
    }

    /** What is held of a routing key: parameters routing key, seen, most rows, bytes. */
    String held() {
        return upToBytes("routing_key = ? and (pg_visible_in_snapshot(xid, ?::pg_snapshot) or %s)".formatted(FOREIGN));
    }

    /** The first rows, and of those as many as it takes to have so many bytes: the driver holds all that comes. */
    private String upToBytes(String condition) {
        return """
                select id, routing_key, body, headers, routing_key = cqrs_id, bytes
                from (select *, sum(octet_length(body) + coalesce(octet_length(headers), 0)) over (order by id) as bytes
                    from (select * from %s where %s order by id limit ?) first) summed
                where bytes - octet_length(body) - coalesce(octet_length(headers), 0) < ? order by id""".formatted(table, condition);
    }

    /** How many rows wait, up to a limit, and since when: parameter limit. */
    String backlog() {
        return """
                select (select count(*) from (select from %1$s limit ?) waiting),
                    coalesce((select extract(epoch from clock_timestamp() - created_at) * 1000000
                        from %1$s order by id limit 1), 0)::bigint""".formatted(table);
    }

    /** How many of the first rows have waited long, by routing key: parameters limit, seconds. */
    String late() {
        return """
                select routing_key, count(*) from (select routing_key, created_at from %s order by id limit ?) first
                where created_at < clock_timestamp() - make_interval(secs => ?) group by 1""".formatted(table);
    }

    String delete() {
        return "delete from %s where id = any (?)".formatted(table);
    }
}
