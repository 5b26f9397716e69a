package io.cqrs.master.internal.table;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.Transactions;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.master.MasterTable;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Alters captured tables on one connection. Belongs to its thread. */
public final class TableAlteration {

    private static final String SESSION = "select set_config('role', ?, false) || set_config('search_path', ?, false)";

    private final Connection connection;
    private final CqrsSchema schema;
    private final TableCapture capture;

    /** Works on this connection. */
    public TableAlteration(Connection connection, CqrsSchema schema, int maxBytes) {
        this.connection = connection;
        this.schema = schema;
        this.capture = new TableCapture(connection, schema, maxBytes);
    }

    /**
     * Runs the statements with the triggers away, and installs them as they are declared for what the tables are then,
     * all in one transaction: nobody writes in between. In an EXECUTE of PL/pgSQL, since that refuses to end the
     * transaction; with triggers that refuse writes, which nobody would send.
     *
     * @throws CqrsConfigurationException if one has no triggers, or a declaration does not fit its table afterwards
     */
    public void run(List<MasterTable> declared, String statements) throws SQLException {
        capture.requireFramework();
        Object unusedPath = Transactions.run(connection, same -> {
            String role = text("select current_setting('role')");
            String searchPath = text("select current_setting('search_path')");
            capture.execute(TableCapture.LOCK_TIMEOUT);
            SortedSet<Captured> captured = captured(declared);
            for (Captured one : captured) {
                guard(one.master().cqrsId(), one.table());
            }
            capture.execute("do " + Concat.literal("begin execute " + Concat.literal(statements) + "; end"));
            for (Captured one : captured) {
                // The statements may have set others, and so does the installation.
                String unusedText = text(SESSION, role, searchPath);
                requireGuarded(one.master());
                capture.execute(TriggerSql.dropGuard(one.master().cqrsId(), schema));
                capture.create(one.master());
            }
            return text(SESSION, role, searchPath);
        });
    }

    private SortedSet<Captured> captured(List<MasterTable> declared) throws SQLException {
        SortedSet<Captured> captured = new TreeSet<>();
        for (MasterTable one : declared) {
            @Nullable String table = capture.installedTable(one.cqrsId());
            if (table == null) {
                throw new CqrsConfigurationException("master " + one.cqrsId()
                        + " has no triggers: alter its table in any way, then run `cqrs capture install`");
            }
            captured.add(new Captured(table, one));
        }
        return captured;
    }

    private void guard(CqrsId cqrsId, String table) throws SQLException {
        if (!capture.exists(table)) {
            throw new CqrsConfigurationException(
                    "table " + table + " of master " + cqrsId + " is gone: run `cqrs capture uninstall` for it");
        }
        capture.drop(cqrsId, table);
        for (String statement : TriggerSql.guard(cqrsId, table, schema)) {
            capture.execute(statement);
        }
    }

    private void requireGuarded(MasterTable declared) throws SQLException {
        String name = TriggerSql.guardName(declared.cqrsId());
        String table = declared.table().sql();
        if (text("select count(*) from pg_trigger where tgrelid = to_regclass(?) and tgname = ?", table, name)
                .equals("0")) {
            throw new CqrsConfigurationException("table " + declared.table() + " of master " + declared.cqrsId()
                    + " is not the one that was captured before: run `cqrs capture uninstall`, alter, install, and"
                    + " `cqrs sync`");
        }
    }

    private String text(String sql, String... parameters) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++) {
                statement.setString(i + 1, parameters[i]);
            }
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return String.valueOf(row.getString(1));
            }
        }
    }

    /** A model and the table that has its triggers, in the order of tables, as whoever locks several must lock them. */
    private record Captured(String table, MasterTable master) implements Comparable<Captured> {
        @Override
        public int compareTo(Captured other) {
            int byTable = table.compareTo(other.table);
            return byTable != 0
                    ? byTable
                    : master.cqrsId().value().compareTo(other.master.cqrsId().value());
        }
    }
}
