package io.cqrs.replica.internal.apply;

import io.cqrs.core.Change;
import io.cqrs.core.ReplicationException;
import io.cqrs.core.jdbc.SqlStates;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.replica.ReplicaDefinition;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;

/**
 * Writes many states of one table at once: COPY into a stage, then the guarded upsert from there. Works within the
 * caller's transaction; belongs to one connection.
 */
public final class StageLoader implements AutoCloseable {

    private static final TableName LOADED = new TableName("pg_temp", "cqrs_loaded");
    private static final TableName STAGE = new TableName("pg_temp", "cqrs_stage");

    private final Connection connection;
    private final ReplicaTable table;
    private final GuardSql sql;
    private final CqrsSchema schema;
    private final ModelLocks locks;
    private @Nullable List<ReplicaColumn> staged;
    private boolean notes;

    private StageLoader(Connection connection, ReplicaTable table, CqrsSchema schema) {
        this.connection = connection;
        this.table = table;
        this.sql = new GuardSql(table, schema);
        this.schema = schema;
        this.locks = new ModelLocks(connection);
    }

    /**
     * Reads a replica's table from the catalogue.
     *
     * @throws io.cqrs.core.CqrsConfigurationException if it does not fit its declaration, or the schema is missing
     */
    public static StageLoader open(Connection connection, ReplicaDefinition definition, CqrsSchema schema)
            throws SQLException {
        CqrsSchema.require(connection, schema.tombstone());
        ReplicaTable table = new Catalogue(connection).read(definition);
        SessionSql.keepStamps(connection, List.of(table));
        return new StageLoader(connection, table, schema);
    }

    /** Returns the fields of the key, in the order of its parts. */
    public List<String> keyFields() {
        return table.key().stream().map(ReplicaColumn::field).toList();
    }

    /** Returns up to when deletes were received that are forgotten by now, or null where none is. */
    public @Nullable Instant forgottenUpTo() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "select received_before from " + schema.tombstoneHorizon().sql() + " where cqrs_id = ?")) {
            statement.setString(1, table.cqrsId().value());
            try (ResultSet row = statement.executeQuery()) {
                return row.next() ? row.getObject(1, OffsetDateTime.class).toInstant() : null;
            }
        }
    }

    /** Has the keys noted that are loaded from now on. */
    public void noteKeys() throws SQLException {
        execute("drop table if exists " + LOADED.sql());
        execute("create temporary table cqrs_loaded as select " + keyColumns() + ", cqrs_updated from "
                + table.name().sql() + " with no data");
        notes = true;
    }

    /**
     * Removes rows whose keys were not loaded since {@link #noteKeys}, but for those that are newer than all that was: they
     * came since. What is known of deletes stays.
     *
     * @return how many
     */
    public long removeOthers() throws SQLException {
        execute("analyze " + LOADED.sql());
        try (Statement statement = connection.createStatement()) {
            return statement.executeLargeUpdate(
                    """
                    delete from %1$s r
                    where (r.cqrs_updated <= (select max(cqrs_updated) from %2$s)) is not false
                        and not exists (select from %2$s k where (%3$s) = (%4$s))""".formatted(table.name().sql(), LOADED.sql(), keyColumns("k."), keyColumns("r.")));
        }
    }

    private String keyColumns() {
        return keyColumns("");
    }

    private String keyColumns(String row) {
        return table.key().stream()
                .map(part -> row + TableName.quote(part.name()))
                .collect(Collectors.joining(", "));
    }

    /** Says which value of a state the database refused, or else what it said. */
    public String explain(Change state, SQLException error) throws SQLException {
        @Nullable
        ReplicationException misfit =
                SqlStates.isMisfit(error) ? new MisfitProbe(connection, table).find(state, error) : null;
        return misfit == null
                ? state.key() + " is refused by the database (SQLSTATE " + SqlStates.state(error) + ")"
                : String.valueOf(misfit.getMessage());
    }

    /** Rows of one stage fill the same columns. */
    private void create(List<ReplicaColumn> filled) throws SQLException {
        // A table for each batch would take more and more locks in a long transaction.
        if (filled.equals(staged)) {
            execute("truncate " + STAGE.sql());
            return;
        }
        StringBuilder columns = new StringBuilder();
        for (int i = 0; i < filled.size(); i++) {
            columns.append("p")
                    .append(i)
                    .append(' ')
                    .append(filled.get(i).bindType())
                    .append(", ");
        }
        execute("drop table if exists " + STAGE.sql());
        execute("create temporary table cqrs_stage (ord int4, " + columns + "upd timestamptz, rev int8)");
        staged = List.copyOf(filled);
    }

    /**
     * Writes what the guard lets through.
     *
     * @param surely whether the entities are known to be there: then no horizon keeps them out
     * @return what became of them
     */
    public Loaded load(List<StagedState> states, boolean surely) throws SQLException {
        try {
            return loadAll(states, surely);
        } catch (SQLException | RuntimeException e) {
            // What is rolled back may have made the stage.
            staged = null;
            throw e;
        }
    }

    private Loaded loadAll(List<StagedState> states, boolean surely) throws SQLException {
        locks.lock(table.cqrsId(), false);
        Map<BitSet, List<Integer>> byShape = new LinkedHashMap<>();
        for (int i = 0; i < states.size(); i++) {
            byShape.computeIfAbsent(states.get(i).filled(), shape -> new ArrayList<>())
                    .add(i);
        }
        long written = 0;
        List<Integer> beyond = new ArrayList<>();
        for (Map.Entry<BitSet, List<Integer>> shape : byShape.entrySet()) {
            List<ReplicaColumn> columns = shape.getKey().stream()
                    .mapToObj(i -> table.columns().get(i))
                    .toList();
            copy(states, shape.getValue(), columns);
            if (!surely) {
                beyond.addAll(beyondHorizon());
            }
            if (notes) {
                noteStaged();
            }
            written += upsert(columns, surely ? GuardSql.Reach.NEWER_SURELY : GuardSql.Reach.NEWER);
        }
        return new Loaded(written, beyond);
    }

    private long upsert(List<ReplicaColumn> columns, GuardSql.Reach reach) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql.load(STAGE, columns, reach))) {
            statement.setString(1, table.cqrsId().value());
            statement.setString(2, table.cqrsId().value());
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        }
    }

    private void noteStaged() throws SQLException {
        String keys = IntStream.range(0, table.key().size())
                .mapToObj(i -> table.key().get(i).cast("m.p" + i))
                .collect(Collectors.joining(", "));
        execute("insert into " + LOADED.sql() + " select " + keys + ", upd from " + STAGE.sql() + " m");
    }

    private List<Integer> beyondHorizon() throws SQLException {
        List<Integer> beyond = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(sql.beyondHorizon(STAGE))) {
            statement.setString(1, table.cqrsId().value());
            statement.setString(2, table.cqrsId().value());
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    beyond.add(row.getInt(1));
                }
            }
        }
        return beyond;
    }

    private void copy(List<StagedState> states, List<Integer> places, List<ReplicaColumn> columns) throws SQLException {
        List<ReplicaColumn> filled = new ArrayList<>(table.key());
        filled.addAll(columns);
        create(filled);
        CopyIn copy = connection.unwrap(PGConnection.class).getCopyAPI().copyIn("copy " + STAGE.sql() + " from stdin");
        try {
            for (int place : places) {
                byte[] number = Integer.toString(place).getBytes(StandardCharsets.US_ASCII);
                byte[] text = states.get(place).text();
                copy.writeToCopy(number, 0, number.length);
                copy.writeToCopy(text, 0, text.length);
            }
            long unused = copy.endCopy();
        } finally {
            if (copy.isActive()) {
                copy.cancelCopy();
            }
        }
    }

    /**
     * Makes a state ready for the stage. Touches no connection: any thread may call it.
     *
     * @throws ReplicationException if it does not fit the table
     */
    public StagedState stage(Change state) {
        return StagedState.of(table, state);
    }

    private void execute(String statement) throws SQLException {
        try (Statement executing = connection.createStatement()) {
            executing.execute(statement);
        }
    }

    @Override
    public void close() throws SQLException {
        execute("drop table if exists " + STAGE.sql());
        execute("drop table if exists " + LOADED.sql());
    }

    /**
     * What became of states.
     *
     * @param written how many were written
     * @param beyondHorizon those that can't be told from states of deleted entities, by their place
     */
    public record Loaded(long written, List<Integer> beyondHorizon) {}
}
