package io.cqrs.master.internal.table;

import io.cqrs.core.CqrsId;
import io.cqrs.core.FieldFilter;
import io.cqrs.core.OutboxException;
import io.cqrs.core.jdbc.DatabaseClock;
import io.cqrs.core.jdbc.SessionSettings;
import io.cqrs.core.rows.ComparedTable;
import io.cqrs.core.rows.FilterSql;
import io.cqrs.core.rows.RangeReader;
import io.cqrs.core.rows.RowDigest;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.master.DiffReport;
import io.cqrs.master.MasterRows;
import io.cqrs.master.MasterTable;
import io.cqrs.master.SyncProgress;
import io.cqrs.master.TableSyncRequest;
import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyOut;

/** The rows of a master table, read by SQL alone. */
public final class TableRows implements MasterRows {

    private static final int MAX_MESSAGE_BYTES = 16 << 20;
    private static final int SYNC_PAGE = 1000;

    private final DataSource dataSource;
    private final Connection connection;
    private final SessionSettings session;
    private final TableModel model;
    private final RowsSql sql;
    private final CqrsSchema schema;
    private final TableSync syncs;
    private boolean aborted;

    private TableRows(
            DataSource dataSource,
            Connection connection,
            SessionSettings session,
            TableModel model,
            CqrsSchema schema) {
        this.dataSource = dataSource;
        this.connection = connection;
        this.session = session;
        this.model = model;
        this.schema = schema;
        this.sql = new RowsSql(model, schema);
        this.syncs = new TableSync(connection, schema, MAX_MESSAGE_BYTES);
    }

    /**
     * Opens the rows of a table.
     *
     * @throws io.cqrs.core.CqrsConfigurationException if the declaration does not fit the table
     */
    public static TableRows open(DataSource dataSource, CqrsSchema schema, MasterTable table) {
        @Nullable Connection connection = null;
        try {
            connection = dataSource.getConnection();
            TableModel model = TableModel.read(connection, table);
            SessionSettings session = SessionSettings.set(connection, TableSync.SESSION);
            return new TableRows(dataSource, connection, session, model, schema);
        } catch (SQLException e) {
            close(connection, e);
            throw refused("open " + table.cqrsId(), e);
        } catch (RuntimeException e) {
            close(connection, e);
            throw e;
        }
    }

    private static void close(@Nullable Connection connection, Exception cause) {
        try {
            if (connection != null) {
                connection.close();
            }
        } catch (SQLException e) {
            cause.addSuppressed(e);
        }
    }

    private static OutboxException refused(String what, SQLException error) {
        return new OutboxException("the database refused to " + what + ": " + error.getMessage(), error);
    }

    @Override
    public CqrsId cqrsId() {
        return model.declared().cqrsId();
    }

    @Override
    public Instant now() {
        try {
            return DatabaseClock.now(connection);
        } catch (SQLException e) {
            throw refused("tell the time", e);
        }
    }

    @Override
    public long count() {
        try (PreparedStatement statement = connection.prepareStatement(sql.count());
                ResultSet row = statement.executeQuery()) {
            row.next();
            return row.getLong(1);
        } catch (SQLException e) {
            throw refused("count " + cqrsId(), e);
        }
    }

    /** A statement reads the rows of one moment. As CSV without a quote in reach, COPY changes no byte of them. */
    @Override
    public void dump(DumpSink sink) throws IOException {
        try {
            CopyOut copy = connection.unwrap(PGConnection.class).getCopyAPI().copyOut(sql.dump());
            try {
                for (byte[] line = copy.readFromCopy(); line != null; line = copy.readFromCopy()) {
                    sink.row(line, line.length - 1);
                }
            } finally {
                if (copy.isActive()) {
                    // Cancelled, the session would answer the next statement with what is left of this one.
                    connection.abort(Runnable::run);
                    aborted = true;
                }
            }
        } catch (SQLException e) {
            throw refused("dump " + cqrsId(), e);
        }
    }

    @Override
    public void states(FieldFilter filter, int pageSize, PageSink sink) throws IOException {
        FilterSql condition = FilterSql.of(cqrsId().value(), model.filterable("n"), filter);
        List<String> after = List.of();
        while (true) {
            try (PreparedStatement statement = connection.prepareStatement(sql.states(condition, !after.isEmpty()))) {
                int next = condition.bind(statement, 1);
                for (String part : after) {
                    statement.setString(next++, part);
                }
                statement.setInt(next, pageSize);
                try (ResultSet row = statement.executeQuery()) {
                    row.next();
                    int count = row.getInt(1);
                    if (count > 0) {
                        sink.page(row.getString(2));
                    }
                    if (count < pageSize) {
                        return;
                    }
                    after = new ArrayList<>();
                    for (int i = 0; i < model.key().size(); i++) {
                        after.add(row.getString(3 + i));
                    }
                }
            } catch (SQLException e) {
                throw refused("read the keys of " + cqrsId(), e);
            }
        }
    }

    @Override
    public List<Integer> missing(List<List<String>> keys) {
        FilterSql arrays = new FilterSql("", model.keyArrays().arrays(keys));
        List<Integer> missing = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(sql.missing())) {
            int unused = arrays.bind(statement, 1);
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    missing.add(row.getInt(1) - 1);
                }
            }
        } catch (SQLException e) {
            throw refused("look for keys of " + cqrsId(), e);
        }
        return missing;
    }

    @Override
    public SyncProgress sync(
            List<List<String>> keys, @Nullable String queue, boolean forced, Consumer<SyncProgress> listener)
            throws InterruptedException {
        try {
            return syncs.send(
                    model,
                    new TableSyncRequest.Settings(FieldFilter.all(), queue, forced, null, SYNC_PAGE, listener),
                    keys);
        } catch (SQLException e) {
            throw refused("sync " + cqrsId(), e);
        }
    }

    @Override
    public long delete(List<RowDigest> rows, @Nullable String queue) {
        List<Object> values =
                model.keyArrays().arrays(rows.stream().map(RowDigest::key).toList());
        List<@Nullable String> updated = new ArrayList<>();
        List<String> revisions = new ArrayList<>();
        for (RowDigest row : rows) {
            updated.add(row.updated() == null ? "epoch" : row.updated());
            revisions.add(String.valueOf(row.revision() == null ? 0 : row.revision()));
        }
        values.add(updated);
        values.add(revisions);
        try (PreparedStatement statement = connection.prepareStatement(sql.delete(queue))) {
            int unused = new FilterSql("", values).bind(statement, 1);
            return statement.executeUpdate();
        } catch (SQLException e) {
            throw refused("send deletes of " + cqrsId(), e);
        }
    }

    @Override
    public ComparedTable compared() {
        return model.compared();
    }

    @Override
    public RangeReader ranges(List<String> fields) {
        try {
            return RangeReader.open(dataSource, model.compared().withFields(fields));
        } catch (SQLException e) {
            throw refused("compare " + cqrsId(), e);
        }
    }

    @Override
    public void note(DiffReport report) {
        try (PreparedStatement statement = connection.prepareStatement(sql.note())) {
            CqrsSchema.require(connection, schema.lastDiff());
            statement.setString(1, report.cqrsId().value());
            statement.setString(2, report.queue() == null ? "" : report.queue());
            statement.setObject(3, OffsetDateTime.ofInstant(report.at(), ZoneOffset.UTC));
            long[] counts = {report.missing(), report.stale(), report.ahead(), report.drifted(), report.surplus()};
            for (int i = 0; i < counts.length; i++) {
                statement.setLong(4 + i, counts[i]);
            }
            statement.setLong(9, report.sent());
            statement.setLong(10, report.deleted());
            statement.executeUpdate();
        } catch (SQLException e) {
            throw refused("note a comparison of " + cqrsId(), e);
        }
    }

    @Override
    public void close() {
        try (Connection closing = connection) {
            if (!aborted) {
                session.close();
            }
        } catch (SQLException e) {
            if (!aborted) {
                throw refused("close a session", e);
            }
        }
    }
}
