package io.cqrs.tools.demo;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Looks at the two tables. Thread-safe. */
final class Tables {

    static final int COLUMNS = 6;

    private static final String MASTER =
            "select id, sku, trim_scale(price), stock, cqrs_revision, cqrs_updated from product order by id";
    private static final String REPLICA =
            "select id, code, trim_scale(price), stock, cqrs_revision, cqrs_updated from product_ref order by id";
    private static final String MASTER_STATE = "select count(*), max(cqrs_updated) from product";
    private static final String REPLICA_STATE = "select count(*), max(cqrs_updated) from product_ref";
    private static final String WAITING = "select count(*) from cqrs.outbox";

    private final DataSource master;
    private final DataSource replica;

    Tables(DataSource master, DataSource replica) {
        this.master = master;
        this.replica = replica;
    }

    /** Compares row by row and column by column. */
    Comparison compare() throws SQLException {
        try (Connection left = master.getConnection();
                Connection right = replica.getConnection();
                Statement leftStatement = left.createStatement();
                Statement rightStatement = right.createStatement();
                ResultSet masterRow = leftStatement.executeQuery(MASTER);
                ResultSet replicaRow = rightStatement.executeQuery(REPLICA)) {
            int equal = 0;
            List<String> differences = new ArrayList<>();
            boolean inMaster = masterRow.next();
            boolean inReplica = replicaRow.next();
            while (inMaster || inReplica) {
                long masterId = inMaster ? masterRow.getLong(1) : Long.MAX_VALUE;
                long replicaId = inReplica ? replicaRow.getLong(1) : Long.MAX_VALUE;
                if (masterId == replicaId && values(masterRow).equals(values(replicaRow))) {
                    equal++;
                } else {
                    differences.add((masterId <= replicaId ? "master " + values(masterRow) : "master lacks it")
                            + ", "
                            + (replicaId <= masterId ? "replica " + values(replicaRow) : "replica lacks it"));
                }
                inMaster = masterId <= replicaId ? masterRow.next() : inMaster;
                inReplica = replicaId <= masterId ? replicaRow.next() : inReplica;
            }
            return new Comparison(equal, differences);
        }
    }

    /** Returns the counts of both sides and how far the replica is behind. */
    State state() throws SQLException {
        try (Connection left = master.getConnection();
                Connection right = replica.getConnection()) {
            Side replicaSide = side(right, REPLICA_STATE);
            Side masterSide = side(left, MASTER_STATE);
            long behind = masterSide.last() == null || replicaSide.last() == null
                    ? 0
                    : Math.max(
                            0,
                            Duration.between(replicaSide.last(), masterSide.last())
                                    .toMillis());
            return new State(
                    masterSide.rows(), replicaSide.rows(), side(left, WAITING).rows(), behind);
        }
    }

    private static Side side(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            boolean timed = row.getMetaData().getColumnCount() > 1;
            return new Side(row.getLong(1), timed ? row.getObject(2, OffsetDateTime.class) : null);
        }
    }

    private static List<String> values(ResultSet row) throws SQLException {
        List<String> values = new ArrayList<>(COLUMNS);
        for (int i = 1; i <= COLUMNS; i++) {
            values.add(String.valueOf(row.getString(i)));
        }
        return values;
    }

    /** How the tables compare: rows that are equal, and what differs. */
    record Comparison(int equal, List<String> differences) {}

    /** What both sides hold, what waits in the outbox, and how many milliseconds the newest rows lie apart. */
    record State(long master, long replica, long waiting, long behindMillis) {}

    private record Side(long rows, @Nullable OffsetDateTime last) {}
}
