package io.cqrs.master.internal.table;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.jdbc.Transactions;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.master.CaptureStatus;
import io.cqrs.master.MasterTable;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Installs and removes triggers on one connection. Belongs to its thread. */
public final class TableCapture {

    static final String LOCK_TIMEOUT = "set local lock_timeout = '10s'";

    /** What creating a trigger takes: reads go on. */
    private static final String WRITERS_OUT = "share row exclusive";
    /**
     * What dropping one takes. From the start: a lock that grows is a deadlock with who has read the table and goes on to
     * write it.
     */
    private static final String ALL_OUT = "access exclusive";

    private final Connection connection;
    private final CqrsSchema schema;
    private final int maxBytes;

    /** Works on this connection. */
    public TableCapture(Connection connection, CqrsSchema schema, int maxBytes) {
        this.connection = connection;
        this.schema = schema;
        this.maxBytes = maxBytes;
    }

    /**
     * Installs the triggers of a table, or replaces them: waits for transactions that have written it, or for all that have
     * used it, ten seconds at most.
     *
     * @throws CqrsConfigurationException if the declaration does not fit the table
     */
    public void install(MasterTable declared) throws SQLException {
        requireFramework();
        Object unused = Transactions.run(connection, same -> {
            execute(LOCK_TIMEOUT);
            create(declared);
            return declared;
        });
    }

    /** Within the caller's transaction, which holds the table until it ends. */
    void create(MasterTable declared) throws SQLException {
        String mode = installedTable(declared.cqrsId()) == null ? WRITERS_OUT : ALL_OUT;
        lock(TableModel.read(connection, declared).table().sql(), mode);
        // It may have been altered before it was locked.
        TableModel model = TableModel.read(connection, declared);
        TriggerSql sql = new TriggerSql(model, schema, maxBytes);
        @Nullable String known = installedTable(declared.cqrsId());
        if (known != null && !known.equals(model.table().sql())) {
            throw new CqrsConfigurationException("master " + declared.cqrsId() + " is captured on " + known
                    + " already: run `cqrs capture uninstall` for it first");
        }
        CapturableTable table = new CapturableTable(connection, model);
        table.require();
        // As the functions have it: what the filter names must be found there.
        execute("set local search_path = pg_catalog, pg_temp");
        table.requireFilter(sql.check());
        List<String> statements = sql.install();
        for (String statement : statements) {
            execute(statement);
        }
        save(declared, model, String.join("\n", statements));
    }

    /** Removes the triggers of a table that is there, within the caller's transaction: nobody else may use it until that ends. */
    void drop(CqrsId cqrsId, String table) throws SQLException {
        lock(table, ALL_OUT);
        dropTriggers(cqrsId, table, true);
        int unused = forget(cqrsId.value());
    }

    private void lock(String table, String mode) throws SQLException {
        execute("lock table only " + table + " in " + mode + " mode");
    }

    private void dropTriggers(CqrsId cqrsId, String table, boolean exists) throws SQLException {
        List<String> statements = exists
                ? TriggerSql.uninstall(cqrsId, TableName.parse(table), schema)
                : TriggerSql.dropFunctions(cqrsId, schema);
        for (String statement : statements) {
            execute(statement);
        }
    }

    /**
     * Removes the triggers of a model. First Hibernate's capture takes over, and what began before that is waited for; a
     * message that both send meanwhile is a duplicate.
     *
     * @param limit how long transactions that began before are waited for
     * @return whether there were any
     * @throws CqrsConfigurationException if a transaction lasts longer than the limit
     */
    public boolean uninstall(CqrsId cqrsId, Duration limit) throws SQLException, InterruptedException {
        requireFramework();
        @Nullable String table = installedTable(cqrsId);
        if (table == null) {
            return false;
        }
        mark(cqrsId);
        new OlderTransactions(connection).await(limit);
        boolean exists = exists(table);
        Object unused = Transactions.run(connection, same -> {
            execute(LOCK_TIMEOUT);
            if (exists) {
                lock(table, ALL_OUT);
            }
            if (forget(PENDING + cqrsId.value()) != 1) {
                throw new CqrsConfigurationException(
                        "the triggers of " + cqrsId + " were installed again meanwhile: they stay");
            }
            dropTriggers(cqrsId, table, exists);
            return cqrsId;
        });
        return true;
    }

    /** A model whose triggers are being removed is called this: Hibernate no longer leaves it to them. */
    private static final String PENDING = "uninstalling ";

    private void mark(CqrsId cqrsId) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(
                "update " + schema.capture().sql() + " set cqrs_id = ? where cqrs_id = ?")) {
            update.setString(1, PENDING + cqrsId.value());
            update.setString(2, cqrsId.value());
            update.executeUpdate();
        }
    }

    /** Tells of all models that are declared or installed. */
    public List<CaptureStatus> status(List<MasterTable> declared) throws SQLException {
        requireFramework();
        Map<CqrsId, MasterTable> byId = new HashMap<>();
        declared.forEach(one -> byId.put(one.cqrsId(), one));
        List<CaptureStatus> all = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("select cqrs_id, table_name, definition from "
                        + schema.capture().sql() + " order by cqrs_id")) {
            while (row.next()) {
                String name = row.getString(1);
                boolean pending = name.startsWith(PENDING);
                CqrsId id = CqrsId.of(pending ? name.substring(PENDING.length()) : name);
                @Nullable MasterTable wanted = byId.remove(id);
                CaptureStatus.State state = pending
                        ? CaptureStatus.State.UNINSTALLING
                        : state(id, row.getString(2), row.getString(3), wanted);
                all.add(new CaptureStatus(id, row.getString(2), state));
            }
        }
        byId.values()
                .forEach(one ->
                        all.add(new CaptureStatus(one.cqrsId(), one.table().sql(), CaptureStatus.State.NOT_INSTALLED)));
        return all;
    }

    private CaptureStatus.State state(CqrsId id, String table, String definition, @Nullable MasterTable wanted)
            throws SQLException {
        if (!exists(table)) {
            return CaptureStatus.State.TABLE_GONE;
        }
        List<String> triggers = TriggerSql.triggers(id, definition);
        if (enabled(triggers, table) < triggers.size()) {
            return CaptureStatus.State.DISABLED;
        }
        if (wanted == null) {
            return CaptureStatus.State.NOT_DECLARED;
        }
        TableModel model = TableModel.read(connection, wanted);
        String now = String.join("\n", new TriggerSql(model, schema, maxBytes).install());
        return definition.equals(now) ? CaptureStatus.State.INSTALLED : CaptureStatus.State.OUTDATED;
    }

    private int enabled(List<String> triggers, String table) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("""
                select count(*) from pg_trigger
                where tgrelid = to_regclass(?) and tgname = any (?) and tgenabled in ('O', 'A')""")) {
            statement.setString(1, table);
            statement.setArray(2, connection.createArrayOf("text", triggers.toArray()));
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return row.getInt(1);
            }
        }
    }

    /** Returns the table that has a model's triggers, or null. */
    @Nullable
    String installedTable(CqrsId cqrsId) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "select table_name from " + schema.capture().sql() + " where cqrs_id in (?, ?)")) {
            statement.setString(1, cqrsId.value());
            statement.setString(2, PENDING + cqrsId.value());
            try (ResultSet row = statement.executeQuery()) {
                return row.next() ? row.getString(1) : null;
            }
        }
    }

    private void save(MasterTable declared, TableModel model, String definition) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("insert into "
                + schema.capture().sql() + " (cqrs_id, table_name, definition) values (?, ?, ?)"
                + " on conflict (cqrs_id) do update set definition = excluded.definition,"
                + " installed_at = clock_timestamp()")) {
            statement.setString(1, declared.cqrsId().value());
            statement.setString(2, model.table().sql());
            statement.setString(3, definition);
            statement.executeUpdate();
        }
        // It ends a removal that was begun.
        int unused = forget(PENDING + declared.cqrsId().value());
    }

    /** Returns whether there was one: 1 or 0. */
    private int forget(String name) throws SQLException {
        try (PreparedStatement delete =
                connection.prepareStatement("delete from " + schema.capture().sql() + " where cqrs_id = ?")) {
            delete.setString(1, name);
            return delete.executeUpdate();
        }
    }

    void requireFramework() throws SQLException {
        CqrsSchema.require(connection, schema.capture());
    }

    boolean exists(String table) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("select to_regclass(?) is not null")) {
            statement.setString(1, table);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return row.getBoolean(1);
            }
        }
    }

    void execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            // As it is: a question mark in it is no parameter.
            statement.setEscapeProcessing(false);
            statement.execute(sql);
        }
    }
}
