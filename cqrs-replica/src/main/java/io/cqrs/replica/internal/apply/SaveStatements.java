package io.cqrs.replica.internal.apply;

import io.cqrs.core.Stamp;
import io.cqrs.replica.Outcome;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes saves that fill the same columns and go equally far: by an upsert that suits most of them, then what that left
 * by one that also looks up what is stored, for their outcomes; by that one alone where the last batch had many for it, or
 * where the table has to see a batch at once. Belongs to one connection.
 */
final class SaveStatements implements AutoCloseable {

    /** To settle a fifth of a batch costs what the others are spared. */
    private static final int MOST_SETTLED_PART = 5;

    private final Connection connection;
    private final ReplicaTable table;
    private final GuardSql sql;
    private final List<ReplicaColumn> columns;
    private final GuardSql.Reach reach;
    private @Nullable PreparedStatement saveNext;
    private @Nullable PreparedStatement settle;
    private boolean mostlyNext = true;

    SaveStatements(
            Connection connection,
            ReplicaTable table,
            GuardSql sql,
            List<ReplicaColumn> columns,
            GuardSql.Reach reach) {
        this.connection = connection;
        this.table = table;
        this.sql = sql;
        this.columns = columns;
        this.reach = reach;
    }

    /** Writes what the guard lets through and tells each how it ended. */
    void save(List<Fold.Newest> rows) throws SQLException {
        List<Fold.Newest> left = mostlyNext && !table.atOnce() ? saveNext(rows) : rows;
        int others = left.isEmpty() ? 0 : settle(left);
        mostlyNext = others <= rows.size() / MOST_SETTLED_PART;
    }

    /** Returns what it did not write. */
    private List<Fold.Newest> saveNext(List<Fold.Newest> rows) throws SQLException {
        if (saveNext == null) {
            saveNext = connection.prepareStatement(sql.saveNext(columns, reach));
        }
        bind(saveNext, rows);
        List<Fold.Newest> left = new ArrayList<>();
        try (ResultSet result = SessionSql.query(saveNext, table.cqrsId(), () -> sql.saveNext(columns, reach))) {
            rows.forEach(row -> row.end(Outcome.APPLIED));
            while (result.next()) {
                left.add(rows.get(result.getInt("ord") - 1));
            }
        }
        return left;
    }

    /** Returns how many of them {@link #saveNext} does not write, or would not have. */
    private int settle(List<Fold.Newest> rows) throws SQLException {
        if (settle == null) {
            settle = connection.prepareStatement(sql.settle(columns, reach));
        }
        bind(settle, rows);
        int others = 0;
        try (ResultSet result = SessionSql.query(settle, table.cqrsId(), () -> sql.settle(columns, reach))) {
            rows.forEach(row -> row.end(Outcome.APPLIED));
            for (; result.next(); others++) {
                Fold.Newest row = rows.get(result.getInt("ord") - 1);
                row.end(outcome(row, result));
            }
        }
        return others;
    }

    private void bind(PreparedStatement statement, List<Fold.Newest> rows) throws SQLException {
        int next = RowArrays.bind(statement, TableApplier.changes(rows), table.key(), columns);
        statement.setString(next, table.cqrsId().value());
        statement.setString(next + 1, table.cqrsId().value());
    }

    private Outcome outcome(Fold.Newest row, ResultSet result) throws SQLException {
        long oldRevision = result.getLong("old_revision");
        if (result.getBoolean("written")) {
            return row.skips(oldRevision) ? Outcome.APPLIED_AFTER_GAP : Outcome.APPLIED;
        }
        Stamp stamp = row.change().stamp();
        Instant oldUpdated = TableApplier.time(result, "old_updated");
        Instant deleted = TableApplier.time(result, "deleted");
        boolean deletedLater = deleted != null && !stamp.updated().isAfter(deleted);
        Instant horizon = TableApplier.time(result, "horizon");
        if (reach == GuardSql.Reach.NEWER
                && oldUpdated == null
                && !deletedLater
                && horizon != null
                && !stamp.updated().isAfter(horizon)) {
            return Outcome.NEEDS_SYNC;
        }
        boolean same = oldUpdated != null
                && oldUpdated.equals(stamp.updated())
                && oldRevision == stamp.revision().value();
        return same ? Outcome.DUPLICATE : Outcome.STALE;
    }

    @Override
    public void close() throws SQLException {
        for (PreparedStatement statement : new PreparedStatement[] {saveNext, settle}) {
            if (statement != null) {
                statement.close();
            }
        }
    }
}
