package io.cqrs.master.internal.relay;

import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.master.DiffReport;
import io.cqrs.master.OutboxStatus;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** Looks at an outbox from outside. Belongs to its connection. */
public final class OutboxInspector {

    private static final int MOST_COUNTED = 1_000_000;

    /** Held keys stay where they are, so those are among the first. */
    private static final int FIRST = 10_000;

    private final Connection connection;
    private final CqrsSchema schema;

    /** Works on this connection. */
    public OutboxInspector(Connection connection, CqrsSchema schema) {
        this.connection = connection;
        this.schema = schema;
    }

    /**
     * Reads the status; empty where the user may not.
     *
     * @throws io.cqrs.core.CqrsConfigurationException if the framework's tables are missing
     */
    public Optional<OutboxStatus> read() throws SQLException {
        CqrsSchema.require(connection, schema.outbox());
        if (!isReadable(schema.outbox())) {
            return Optional.empty();
        }
        Backlog backlog = backlog();
        return Optional.of(new OutboxStatus(backlog.rows(), backlog.oldest(), late(), isRelayed(), models(), diffs()));
    }

    /** Counts what waits, up to a million rows. */
    Backlog backlog() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(new OutboxSql(schema).backlog())) {
            statement.setInt(1, MOST_COUNTED);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return new Backlog(row.getLong(1), Duration.of(Math.max(0, row.getLong(2)), ChronoUnit.MICROS));
            }
        }
    }

    private SortedMap<String, Long> late() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(new OutboxSql(schema).late())) {
            statement.setInt(1, FIRST);
            statement.setLong(2, OutboxStatus.LATE.toSeconds());
            try (ResultSet row = statement.executeQuery()) {
                SortedMap<String, Long> late = new TreeMap<>();
                while (row.next()) {
                    late.put(row.getString(1), row.getLong(2));
                }
                return late;
            }
        }
    }

    private boolean isRelayed() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(OutboxSql.LOCKED)) {
            statement.setLong(1, OutboxSql.LOCK_SPACE);
            statement.setLong(2, Integer.toUnsignedLong(RelayLock.key(schema)));
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return row.getBoolean(1);
            }
        }
    }

    /** A relay's user needs no right to it. */
    private boolean isReadable(TableName table) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("select coalesce(has_table_privilege(to_regclass(?), 'SELECT'), false)")) {
            statement.setString(1, table.sql());
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return row.getBoolean(1);
            }
        }
    }

    private List<String> models() throws SQLException {
        List<String> models = new ArrayList<>();
        if (!isReadable(schema.capture())) {
            return models;
        }
        try (PreparedStatement statement = connection.prepareStatement(
                        "select cqrs_id from " + schema.capture().sql() + " order by 1");
                ResultSet row = statement.executeQuery()) {
            while (row.next()) {
                models.add(row.getString(1));
            }
        }
        return models;
    }

    private List<DiffReport> diffs() throws SQLException {
        List<DiffReport> diffs = new ArrayList<>();
        if (!isReadable(schema.lastDiff())) {
            return diffs;
        }
        try (PreparedStatement statement = connection.prepareStatement(
                        "select cqrs_id, queue, began_at, missing, stale, ahead, drifted, surplus, sent, deleted from "
                                + schema.lastDiff().sql() + " order by 1, 2");
                ResultSet row = statement.executeQuery()) {
            while (row.next()) {
                diffs.add(new DiffReport(
                        CqrsId.of(row.getString(1)),
                        row.getString(2),
                        row.getObject(3, OffsetDateTime.class).toInstant(),
                        row.getLong(4),
                        row.getLong(5),
                        row.getLong(6),
                        row.getLong(7),
                        row.getLong(8),
                        row.getLong(9),
                        row.getLong(10)));
            }
        }
        return diffs;
    }

    /**
     * What waits.
     *
     * @param rows how many
     * @param oldest how long the first of them has waited, zero where there is none
     */
    record Backlog(long rows, Duration oldest) {}
}
