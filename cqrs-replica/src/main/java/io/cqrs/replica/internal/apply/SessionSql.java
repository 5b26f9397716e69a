package io.cqrs.replica.internal.apply;

import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.SqlStates;
import io.cqrs.core.schema.CqrsSchema;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collection;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Statements that concern all models. */
public final class SessionSql {

    private static final Logger LOG = LoggerFactory.getLogger(SessionSql.class);

    /** The first half of our advisory locks' keys, "cqrs" in ASCII. */
    static final int SPACE = 0x63717273;

    private static final String KEEP_STAMPS = "cqrs.keep_stamps";

    /** Text forms must not depend on how the server or the pool is set. */
    public static final Map<String, String> SETTINGS = Map.of(
            "timezone",
            "UTC",
            "datestyle",
            "ISO, YMD",
            "intervalstyle",
            "postgres",
            "bytea_output",
            "hex",
            KEEP_STAMPS,
            "");

    /** Parameters: space, sorted hashes. */
    static final String LOCK_KEYS = "select pg_advisory_xact_lock(?, k) from unnest(?::int4[]) k";

    private final CqrsSchema schema;

    SessionSql(CqrsSchema schema) {
        this.schema = schema;
    }

    /**
     * Has triggers that capture replicas' tables, for replicas of their own, keep the revisions and times by which their rows are
     * ordered; not those of other tables, which hooks write as anybody does.
     */
    static void keepStamps(Connection connection, Collection<ReplicaTable> tables) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("select set_config(?, ?, false)")) {
            statement.setString(1, KEEP_STAMPS);
            statement.setString(
                    2, tables.stream().map(table -> Long.toString(table.oid())).collect(Collectors.joining(",")));
            boolean unused = statement.execute();
        }
    }

    /** Waits for a lock; a statement timeout that ends the wait counts as contention, by which nobody's attempts are spent. */
    static void lock(PreparedStatement statement) throws SQLException {
        try {
            statement.execute();
        } catch (SQLException e) {
            if (SqlStates.isTimeout(e)) {
                throw new SQLException(
                        "no lock within the statement timeout: " + e.getMessage(), SqlStates.LOCK_NOT_AVAILABLE, e);
            }
            throw e;
        }
    }

    /** Runs a query; one that the database cancels is named in the log. */
    static ResultSet query(PreparedStatement statement, CqrsId cqrsId, Supplier<String> text) throws SQLException {
        try {
            return statement.executeQuery();
        } catch (SQLException e) {
            if (SqlStates.isTimeout(e)) {
                LOG.warn("{}: the database cancelled a statement: {}", cqrsId, text.get());
            }
            throw e;
        }
    }

    /** Parameters: cqrs id, age in seconds, cqrs id, twice, age in seconds. By the server's clock, which received them. A delete of the future stays until it is past, or would raise the horizon. Waits for none that is being recorded anew. */
    String purge() {
        return """
                with gone as (
                    delete from %1$s t using (
                        select pk from %1$s where cqrs_id = ? and greatest(received_at, updated) < now() - make_interval(secs => ?) limit 50000 for update skip locked) old
                    where t.cqrs_id = ? and t.pk = old.pk
                    returning t.updated)
                insert into %2$s as h (cqrs_id, updated, received_before)
                select ?, max(updated), now() - make_interval(secs => ?) from gone having count(*) > 0
                on conflict (cqrs_id) do update set updated = greatest(h.updated, excluded.updated),
                    received_before = greatest(h.received_before, excluded.received_before)
                """.formatted(schema.tombstone().sql(), schema.tombstoneHorizon().sql());
    }
}
