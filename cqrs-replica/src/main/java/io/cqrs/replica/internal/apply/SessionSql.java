package io.cqrs.replica.internal.apply;

import io.cqrs.core.schema.CqrsSchema;
import java.util.Map;

/** Statements that concern all models. */
final class SessionSql {

    /** The first half of our advisory locks' keys, "cqrs" in ASCII. */
    static final int SPACE = 0x63717273;

    /** Text forms must not depend on how the server or the pool is set. */
    static final Map<String, String> SETTINGS =
            Map.of("timezone", "UTC", "datestyle", "ISO, YMD", "intervalstyle", "postgres");

    static final String EXCLUSIVE = "select pg_advisory_xact_lock(?, ?)";
    static final String SHARED = "select pg_advisory_xact_lock_shared(?, ?)";

    private final CqrsSchema schema;

    SessionSql(CqrsSchema schema) {
        this.schema = schema;
    }

    String horizons() {
        return "select cqrs_id, updated from %s"
                .formatted(schema.tombstoneHorizon().sql());
    }

    /** Parameters: cqrs id, cut-off, cqrs id. */
    String purge() {
        return """
                with gone as (
                    delete from %1$s where cqrs_id = ? and received_at < ? returning updated)
                insert into %2$s as h (cqrs_id, updated)
                select ?, max(updated) from gone having count(*) > 0
                on conflict (cqrs_id) do update set updated = greatest(h.updated, excluded.updated)
                """.formatted(schema.tombstone().sql(), schema.tombstoneHorizon().sql());
    }
}
