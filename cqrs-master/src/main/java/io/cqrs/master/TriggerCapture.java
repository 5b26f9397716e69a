package io.cqrs.master;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.core.OutboxException;
import io.cqrs.core.jdbc.SqlStates;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.master.hibernate.EntityTables;
import io.cqrs.master.internal.table.StampColumns;
import io.cqrs.master.internal.table.TableAlteration;
import io.cqrs.master.internal.table.TableCapture;
import io.cqrs.master.internal.table.TableSync;
import jakarta.persistence.EntityManagerFactory;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import javax.sql.DataSource;

/**
 * Captures tables by triggers: every write is seen, whoever makes it, and Hibernate's capture of the same model writes no
 * message of its own meanwhile. Each statement is one insert into the outbox.
 *
 * <p>Needs the rights to create functions in the framework's schema and triggers on the table; writers need none on the
 * outbox. Partitioned and inheriting tables are refused. Not seen: the writes of a session whose {@code
 * session_replication_role} is {@code replica}. Thread-safe.
 */
public final class TriggerCapture {

    private static final int MAX_MESSAGE_BYTES = 16 << 20;
    private static final String NOT_SUPPORTED = "0A000";
    private static final String ACTIVE_TRANSACTION = "25001";

    private final DataSource dataSource;
    private final CqrsSchema schema;

    private TriggerCapture(DataSource dataSource, CqrsSchema schema) {
        this.dataSource = dataSource;
        this.schema = schema;
    }

    /** Returns the trigger capture of a database with the framework's standard schema. */
    public static TriggerCapture of(DataSource dataSource) {
        return of(dataSource, CqrsSchema.standard());
    }

    /** Returns the trigger capture of a database with the outbox in this schema. */
    public static TriggerCapture of(DataSource dataSource, CqrsSchema schema) {
        return new TriggerCapture(
                Objects.requireNonNull(dataSource, "dataSource"), Objects.requireNonNull(schema, "schema"));
    }

    /**
     * Returns the tables of a persistence unit's masters, as triggers can capture them.
     *
     * @throws CqrsConfigurationException if one can't be: it has a serializer, an {@code isSyncInstance} of its own, sent
     *     collections, or a hierarchy of several tables
     */
    public static List<MasterTable> tablesOf(EntityManagerFactory factory) {
        return EntityTables.of(factory, id -> true);
    }

    /**
     * Returns some masters of a persistence unit as tables; others may be none.
     *
     * @throws CqrsConfigurationException if one of those wanted needs Java for its messages, or has more than one table
     */
    public static List<MasterTable> tablesOf(EntityManagerFactory factory, Predicate<CqrsId> wanted) {
        return EntityTables.of(factory, wanted);
    }

    /**
     * Returns those masters of a persistence unit as tables that triggers can capture.
     *
     * @param left is told of each other one of those wanted, and why it can't be
     */
    public static List<MasterTable> capturableTablesOf(
            EntityManagerFactory factory, Predicate<CqrsId> wanted, BiConsumer<CqrsId, String> left) {
        return EntityTables.capturable(factory, wanted, left);
    }

    /**
     * Returns some masters of a persistence unit as tables of no more than keys, revisions and times: for {@link
     * #addColumns(MasterTable)}, whoever captures them.
     *
     * @throws CqrsConfigurationException if the rows of one are in several tables
     */
    public static List<MasterTable> keyTablesOf(EntityManagerFactory factory, Predicate<CqrsId> wanted) {
        return EntityTables.keysOf(factory, wanted);
    }

    /**
     * Installs the triggers of a table, or replaces those that were made from another declaration. Waits for transactions
     * that have written the table, and where it replaces triggers for those that have read it, too, ten seconds at most;
     * whoever comes meanwhile waits behind it.
     *
     * @throws CqrsConfigurationException if the declaration does not fit the table, or the framework's tables are missing
     * @throws OutboxException if the database refuses, or the table is busy for too long
     */
    public void install(MasterTable table) {
        boolean unused = run("install the triggers of " + table.cqrsId(), connection -> {
            new TableCapture(connection, schema, MAX_MESSAGE_BYTES).install(table);
            return true;
        });
    }

    /**
     * Alters captured tables in any way: runs these statements with the triggers away, and installs the triggers for what
     * the tables and their declarations are then, in one transaction that nobody else can use them in. So no change
     * escapes. Waits for transactions that have used the tables, ten seconds at most for each. Values that a new type gives
     * to rows are not sent: a sync does that.
     *
     * @param tables all masters whose tables the statements alter, captured by triggers now, as they are to be captured
     *     afterwards; at least one
     * @param statements SQL, several separated by semicolons; they can't end the transaction, and what can't be in one
     *     (as {@code create index concurrently}) can't be among them; nor may they write the tables' rows, which would
     *     not be sent
     * @throws CqrsConfigurationException if one has no triggers, a declaration does not fit its table then, or the
     *     framework's tables are missing; nothing is altered
     * @throws OutboxException if the database refuses, as it does writes, or a table is busy for too long; nothing is
     *     altered
     * @throws IllegalArgumentException if there is no table
     */
    public void alter(List<MasterTable> tables, String statements) {
        Objects.requireNonNull(statements, "statements");
        if (tables.isEmpty()) {
            throw new IllegalArgumentException("no table to alter");
        }
        String what = "alter " + tables.stream().map(MasterTable::cqrsId).toList() + ", and nothing was altered";
        boolean unused = run(what, connection -> {
            new TableAlteration(connection, schema, MAX_MESSAGE_BYTES).run(tables, statements);
            return true;
        });
    }

    /**
     * Removes the triggers of a model; a minute's wait for transactions that began before.
     *
     * @return whether there were any
     * @throws CqrsConfigurationException if a transaction lasts longer, or the framework's tables are missing
     * @throws OutboxException if the database refuses
     */
    public boolean uninstall(CqrsId cqrsId) {
        return run(
                "remove the triggers of " + cqrsId,
                connection -> new TableCapture(connection, schema, MAX_MESSAGE_BYTES)
                        .uninstall(cqrsId, Duration.ofMinutes(1)));
    }

    /**
     * Tells how triggers and declarations match.
     *
     * @param declared all that should be installed
     * @throws CqrsConfigurationException if the framework's tables are missing, or a declaration does not fit
     * @throws OutboxException if the database refuses
     */
    public List<CaptureStatus> status(List<MasterTable> declared) {
        return run(
                "read the triggers",
                connection -> new TableCapture(connection, schema, MAX_MESSAGE_BYTES).status(declared));
    }

    /**
     * Returns the statement that adds the columns of revision and time to a table that has none; for existing rows they
     * begin at revision 0, now. It needs no rewrite of the table.
     */
    public static String addColumnsSql(TableName table) {
        return StampColumns.of(table).sql();
    }

    /** The same by the names that a master declares. */
    public static String addColumnsSql(MasterTable master) {
        return StampColumns.of(master).sql();
    }

    /**
     * Adds the columns of revision and time to a table that lacks one.
     *
     * @return whether any was missing
     * @throws CqrsConfigurationException if the table does not exist
     * @throws OutboxException if the database refuses, or the table is busy for more than ten seconds
     */
    public boolean addColumns(TableName table) {
        return add(StampColumns.of(table));
    }

    /**
     * The same by the names that a master declares.
     *
     * @return whether any was missing
     * @throws CqrsConfigurationException if the table does not exist
     * @throws OutboxException if the database refuses, or the table is busy for more than ten seconds
     */
    public boolean addColumns(MasterTable master) {
        return add(StampColumns.of(master));
    }

    private boolean add(StampColumns columns) {
        return run("add columns to " + columns.table(), columns::add);
    }

    /**
     * Begins a sync of a table. Its restriction is SQL: {@link TableSyncRequest#where}.
     *
     * @throws CqrsConfigurationException when it is sent, if the declaration does not fit the table
     */
    public TableSyncRequest sync(MasterTable table) {
        return new TableSyncRequest(settings -> run(
                "sync " + table.cqrsId(),
                connection -> new TableSync(connection, schema, MAX_MESSAGE_BYTES).send(table, settings)));
    }

    private <T> T run(String what, Work<T> work) {
        try (Connection connection = dataSource.getConnection()) {
            return work.run(connection);
        } catch (SQLException e) {
            throw new OutboxException("the database refused to " + what + ": " + e.getMessage() + wayOut(e), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new OutboxException("interrupted while asked to " + what, e);
        }
    }

    private static String wayOut(SQLException e) {
        return switch (SqlStates.state(e)) {
            case SqlStates.LOCK_NOT_AVAILABLE -> ": another transaction uses the table, try again when it has ended";
            case NOT_SUPPORTED, ACTIVE_TRANSACTION ->
                ": what ends a transaction, or can't be in one, is done before or afterwards";
            default -> "";
        };
    }

    /** What is done on a connection. */
    private interface Work<T> {
        T run(Connection connection) throws SQLException, InterruptedException;
    }
}
