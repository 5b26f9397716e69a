package io.cqrs.replica.internal.apply;

import io.cqrs.core.schema.CqrsSchema;

/** Statements that hold for all models of a batch. */
final class LockSql {

    /** The first half of our advisory locks' keys, "cqrs" in ASCII. */
    static final int SPACE = 0x63717273;

    static final String EXCLUSIVE = "select pg_advisory_xact_lock(?, ?)";
    static final String SHARED = "select pg_advisory_xact_lock_shared(?, ?)";

    private final CqrsSchema schema;

    LockSql(CqrsSchema schema) {
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
