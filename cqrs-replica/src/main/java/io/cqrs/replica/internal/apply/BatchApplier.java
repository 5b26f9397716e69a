package io.cqrs.replica.internal.apply;

import io.cqrs.core.CqrsId;
import io.cqrs.core.Signal;
import io.cqrs.core.jdbc.SessionSettings;
import io.cqrs.core.jdbc.Transactions;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.replica.Outcome;
import io.cqrs.replica.ReplicaDefinition;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Applies a batch of changes in one transaction, under the guard: last writer wins by time, then revision.
 *
 * <ol>
 *   <li>Lock each model of the batch, in sorted order, as statements of their own, so that the next ones see what others
 *       committed: exclusively where the batch deletes, shared where it only saves. Without it an update that races a
 *       delete leaves a row that the master no longer has.
 *   <li>Fold to one delete and one save a key.
 *   <li>Deletes, children before parents: tombstones first, then the rows that are not later.
 *   <li>Saves, parents before children: upserts that a later row or tombstone stops.
 *   <li>Commit. Each change then knows its outcome.
 * </ol>
 *
 * <p>Belongs to one thread and one connection, which it sets to READ COMMITTED, UTC and ISO dates.
 */
public final class BatchApplier implements AutoCloseable {

    private final Connection connection;
    private final SessionSettings session;
    private final SessionSql locks;
    private final List<TableApplier> parentsFirst;

    private BatchApplier(
            Connection connection, SessionSettings session, CqrsSchema schema, List<TableApplier> parentsFirst) {
        this.connection = connection;
        this.session = session;
        this.locks = new SessionSql(schema);
        this.parentsFirst = parentsFirst;
    }

    /**
     * Prepares a connection and reads the tables from its catalogue.
     *
     * @throws io.cqrs.core.CqrsConfigurationException if a table does not fit its declaration, or the schema is missing
     */
    public static BatchApplier open(Connection connection, List<ReplicaDefinition> definitions, CqrsSchema schema)
            throws SQLException {
        SessionSettings session = SessionSettings.set(connection, SessionSql.SETTINGS);
        try {
            return new BatchApplier(connection, session, schema, appliers(connection, definitions, schema));
        } catch (SQLException | RuntimeException e) {
            session.close();
            throw e;
        }
    }

    private static List<TableApplier> appliers(
            Connection connection, List<ReplicaDefinition> definitions, CqrsSchema schema) throws SQLException {
        List<ReplicaTable> tables = new Catalogue(connection).read(definitions, schema);
        return TableOrder.parentsFirst(tables).stream()
                .map(table -> new TableApplier(connection, table, schema))
                .toList();
    }

    /** Gives the connection back as it was: it may belong to a pool. */
    @Override
    public void close() throws SQLException {
        for (TableApplier applier : parentsFirst) {
            applier.close();
        }
        session.close();
    }

    /**
     * Applies changes of known models; all or, when it throws, none.
     *
     * @throws SQLException if the database refuses, or is gone
     * @throws io.cqrs.core.ReplicationException if a change does not fit its table
     */
    public void apply(List<Pending> batch) throws SQLException {
        Transactions.run(connection, same -> {
            Map<CqrsId, Instant> horizons = lock(batch);
            for (Run run : runs(batch)) {
                apply(run, horizons);
            }
            return batch.size();
        });
    }

    /**
     * Forgets the tombstones received before the cut-off, and remembers up to which time they reached.
     *
     * @throws SQLException if the database refuses, or is gone
     */
    public void purgeTombstones(Instant cutOff) throws SQLException {
        for (TableApplier applier : parentsFirst) {
            String cqrsId = applier.table().cqrsId().value();
            Transactions.run(connection, same -> {
                lock(applier.table().cqrsId(), true);
                try (PreparedStatement purge = connection.prepareStatement(locks.purge())) {
                    purge.setString(1, cqrsId);
                    purge.setObject(2, OffsetDateTime.ofInstant(cutOff, ZoneOffset.UTC));
                    purge.setString(3, cqrsId);
                    return purge.executeUpdate();
                }
            });
        }
    }

    private void apply(Run run, Map<CqrsId, Instant> horizons) throws SQLException {
        Map<CqrsId, Fold> folds = new HashMap<>();
        for (Pending pending : run.changes()) {
            CqrsId cqrsId = pending.change().key().cqrsId();
            folds.computeIfAbsent(cqrsId, id -> new Fold(applier(id).table().order(), run.forced()))
                    .add(pending);
        }
        List<TableApplier> childrenFirst = new ArrayList<>(parentsFirst);
        Collections.reverse(childrenFirst);
        for (TableApplier applier : childrenFirst) {
            Fold fold = folds.get(applier.table().cqrsId());
            if (fold != null) {
                applier.delete(fold.deletes());
            }
        }
        for (TableApplier applier : parentsFirst) {
            CqrsId cqrsId = applier.table().cqrsId();
            Fold fold = folds.get(cqrsId);
            if (fold != null) {
                if (run.forced()) {
                    applier.forget(fold.saves());
                }
                applier.save(fold.saves(), run.forced(), horizons.get(cqrsId));
            }
        }
    }

    private TableApplier applier(CqrsId cqrsId) {
        return parentsFirst.stream()
                .filter(applier -> applier.table().cqrsId().equals(cqrsId))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no replica of " + cqrsId));
    }

    /** Locks the models and returns their horizons, which a purge changes only under the exclusive lock. */
    private Map<CqrsId, Instant> lock(List<Pending> batch) throws SQLException {
        Map<CqrsId, Boolean> models = new TreeMap<>();
        for (Pending pending : batch) {
            boolean exclusive = pending.change().signal() == Signal.DELETE
                    || pending.change().forced();
            models.merge(pending.change().key().cqrsId(), exclusive, Boolean::logicalOr);
        }
        for (Map.Entry<CqrsId, Boolean> model : models.entrySet()) {
            lock(model.getKey(), model.getValue());
        }
        Map<CqrsId, Instant> horizons = new HashMap<>();
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(locks.horizons())) {
            while (row.next()) {
                horizons.put(
                        CqrsId.of(row.getString(1)),
                        row.getObject(2, OffsetDateTime.class).toInstant());
            }
        }
        return horizons;
    }

    private void lock(CqrsId cqrsId, boolean exclusive) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement(exclusive ? SessionSql.EXCLUSIVE : SessionSql.SHARED)) {
            statement.setInt(1, SessionSql.SPACE);
            statement.setInt(2, cqrsId.value().hashCode());
            statement.execute();
        }
    }

    /** Forced changes split the batch: what came before them must not come after, and the reverse. */
    private static List<Run> runs(List<Pending> batch) {
        List<Run> runs = new ArrayList<>();
        @Nullable Run current = null;
        for (Pending pending : batch) {
            boolean forced = pending.change().forced() && pending.change().signal() != Signal.DELETE;
            if (current == null || current.forced() != forced) {
                current = new Run(forced, new ArrayList<>());
                runs.add(current);
            }
            current.changes().add(pending);
        }
        return runs;
    }

    private record Run(boolean forced, List<Pending> changes) {}

    /** Counts how changes ended, by model and outcome, in the order of their first. */
    public static Map<CqrsId, Map<Outcome, Integer>> count(List<Pending> batch) {
        Map<CqrsId, Map<Outcome, Integer>> counts = new LinkedHashMap<>();
        for (Pending pending : batch) {
            counts.computeIfAbsent(pending.change().key().cqrsId(), id -> new EnumMap<>(Outcome.class))
                    .merge(pending.outcome(), 1, Integer::sum);
        }
        return counts;
    }
}
