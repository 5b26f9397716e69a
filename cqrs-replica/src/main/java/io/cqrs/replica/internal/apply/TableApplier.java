package io.cqrs.replica.internal.apply;

import io.cqrs.core.Change;
import io.cqrs.core.EntityKey;
import io.cqrs.core.ReplicationException;
import io.cqrs.core.Stamp;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.replica.Outcome;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Applies folded changes to one table, set-based, within the caller's transaction. Belongs to one connection. */
final class TableApplier implements AutoCloseable {

    private static final int SHAPES_KEPT = 64;

    private final Connection connection;
    private final ReplicaTable table;
    private final GuardSql sql;
    private final Map<SaveShape, SaveStatements> saves = new HashMap<>();
    private @Nullable PreparedStatement delete;
    private @Nullable PreparedStatement sweep;
    private @Nullable PreparedStatement forget;

    TableApplier(Connection connection, ReplicaTable table, CqrsSchema schema) {
        this.connection = connection;
        this.table = table;
        this.sql = new GuardSql(table, schema);
    }

    ReplicaTable table() {
        return table;
    }

    @Override
    public void close() throws SQLException {
        closeSaves();
        for (PreparedStatement statement : new PreparedStatement[] {delete, sweep, forget}) {
            if (statement != null) {
                statement.close();
            }
        }
    }

    /** Records the deletes as tombstones and removes the rows that are not later. */
    void delete(Collection<Fold.Newest> deletes) throws SQLException {
        if (deletes.isEmpty()) {
            return;
        }
        List<Fold.Newest> rows = List.copyOf(deletes);
        if (delete == null) {
            delete = connection.prepareStatement(sql.delete());
        }
        int next = RowArrays.bind(delete, changes(rows), table.key(), List.of());
        delete.setString(next, table.cqrsId().value());
        try (ResultSet result = SessionSql.query(delete, table.cqrsId(), sql::delete)) {
            while (result.next()) {
                rows.get(result.getInt("ord") - 1).end(deleteOutcome(result));
            }
        }
    }

    private static Outcome deleteOutcome(ResultSet result) throws SQLException {
        if (result.getBoolean("removed")) {
            return Outcome.APPLIED;
        }
        if (result.getBoolean("later_row")) {
            return Outcome.STALE;
        }
        return result.getBoolean("recorded") ? Outcome.APPLIED : Outcome.DUPLICATE;
    }

    /** Removes rows of these keys that are not later than their tombstones. */
    void sweep(List<Change> deletes) throws SQLException {
        if (sweep == null) {
            sweep = connection.prepareStatement(sql.sweep());
        }
        int next = RowArrays.bind(sweep, deletes, table.key(), List.of());
        sweep.setString(next, table.cqrsId().value());
        boolean unused = sweep.execute();
    }

    /** Forgets the tombstones of the keys that are saved by force. */
    void forget(List<Change> saves) throws SQLException {
        if (saves.isEmpty()) {
            return;
        }
        if (forget == null) {
            forget = connection.prepareStatement(sql.forget());
        }
        int next = RowArrays.bind(forget, saves, table.key(), List.of());
        forget.setString(next, table.cqrsId().value());
        forget.executeUpdate();
    }

    /** Records deletes, one a key, of rows that a hook has seen to. */
    void bury(List<Change> deletes) throws SQLException {
        if (deletes.isEmpty()) {
            return;
        }
        try (PreparedStatement bury = connection.prepareStatement(sql.bury())) {
            int next = RowArrays.bind(bury, deletes, table.key(), List.of());
            bury.setString(next, table.cqrsId().value());
            bury.executeUpdate();
        }
    }

    /** Locks the keys of these changes, one a key, and their rows, and reads what is stored of them. */
    Map<EntityKey, KeyState> lock(List<Change> changes) throws SQLException {
        int[] hashes = changes.stream()
                .mapToInt(change ->
                        Objects.hash(change.key().cqrsId().value(), change.key().text()))
                .sorted()
                .distinct()
                .toArray();
        try (PreparedStatement keys = connection.prepareStatement(SessionSql.LOCK_KEYS)) {
            keys.setInt(1, SessionSql.SPACE + 1);
            keys.setArray(
                    2,
                    connection.createArrayOf(
                            "int4", Arrays.stream(hashes).boxed().toArray()));
            SessionSql.lock(keys);
        }
        try (PreparedStatement rows = connection.prepareStatement(sql.lock())) {
            int unused = RowArrays.bind(rows, changes, table.key(), List.of());
            SessionSql.lock(rows);
        }
        Map<EntityKey, KeyState> states = new HashMap<>();
        try (PreparedStatement read = connection.prepareStatement(sql.state())) {
            int next = RowArrays.bind(read, changes, table.key(), List.of());
            read.setString(next, table.cqrsId().value());
            read.setString(next + 1, table.cqrsId().value());
            try (ResultSet row = read.executeQuery()) {
                while (row.next()) {
                    states.put(changes.get(row.getInt("ord") - 1).key(), state(row));
                }
            }
        }
        return states;
    }

    private static KeyState state(ResultSet row) throws SQLException {
        OffsetDateTime updated = row.getObject("old_updated", OffsetDateTime.class);
        long revision = row.getLong("old_revision");
        boolean stamped = updated != null && !row.wasNull();
        return new KeyState(
                row.getBoolean("found"),
                stamped ? Stamp.of(updated.toInstant(), revision) : null,
                time(row, "deleted"),
                time(row, "horizon"));
    }

    /** Reads a time, or null. */
    static @Nullable Instant time(ResultSet row, String column) throws SQLException {
        OffsetDateTime time = row.getObject(column, OffsetDateTime.class);
        return time == null ? null : time.toInstant();
    }

    /** Writes the saves that the guard lets through. */
    void save(Collection<Fold.Newest> saves, boolean forced) throws SQLException {
        Map<SaveShape, List<Fold.Newest>> byShape = new LinkedHashMap<>();
        for (Fold.Newest save : saves) {
            byShape.computeIfAbsent(shape(save, forced), shape -> new ArrayList<>())
                    .add(save);
        }
        for (Map.Entry<SaveShape, List<Fold.Newest>> group : byShape.entrySet()) {
            statements(group.getKey()).save(group.getValue());
        }
    }

    /** Messages may come in more shapes than there should be: then the statements kept are begun anew. */
    private SaveStatements statements(SaveShape shape) throws SQLException {
        SaveStatements known = saves.get(shape);
        if (known != null) {
            return known;
        }
        if (saves.size() >= SHAPES_KEPT) {
            closeSaves();
        }
        SaveStatements created = new SaveStatements(connection, table, sql, shape.columns(table), shape.reach());
        saves.put(shape, created);
        return created;
    }

    private void closeSaves() throws SQLException {
        for (SaveStatements one : saves.values()) {
            one.close();
        }
        saves.clear();
    }

    private SaveShape shape(Fold.Newest save, boolean forced) {
        GuardSql.Reach reach = save.isSync() ? GuardSql.Reach.EQUAL : GuardSql.Reach.NEWER;
        return new SaveShape(filled(table, save.change()), forced ? GuardSql.Reach.ANY : reach);
    }

    /**
     * Returns which columns a change fills: rows of one statement fill the same. What a message lacks keeps its value, or
     * gets its default.
     *
     * @throws ReplicationException if it lacks a field that is required
     */
    static BitSet filled(ReplicaTable table, Change change) {
        BitSet present = new BitSet(table.columns().size());
        for (int i = 0; i < table.columns().size(); i++) {
            ReplicaColumn column = table.columns().get(i);
            if (change.data().containsKey(column.field())) {
                present.set(i);
            } else if (column.required()) {
                throw new ReplicationException("the change of " + change.key() + " has no field " + column.field()
                        + ", which column " + column.name() + " of " + table.name() + " requires");
            }
        }
        return present;
    }

    static List<Change> changes(List<Fold.Newest> rows) {
        return rows.stream().map(Fold.Newest::change).toList();
    }

    private record SaveShape(BitSet present, GuardSql.Reach reach) {
        List<ReplicaColumn> columns(ReplicaTable table) {
            return present.stream().mapToObj(i -> table.columns().get(i)).toList();
        }
    }
}
