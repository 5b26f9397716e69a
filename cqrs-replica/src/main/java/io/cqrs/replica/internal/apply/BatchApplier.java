package io.cqrs.replica.internal.apply;

import io.cqrs.core.Change;
import io.cqrs.core.CqrsId;
import io.cqrs.core.ReplicationException;
import io.cqrs.core.SerializationException;
import io.cqrs.core.Signal;
import io.cqrs.core.jdbc.SessionSettings;
import io.cqrs.core.jdbc.SqlStates;
import io.cqrs.core.jdbc.Transactions;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.replica.Outcome;
import io.cqrs.replica.ReplicaDefinition;
import io.cqrs.replica.ReplicaHandler;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Applies a batch of changes under the guard: last writer wins by time, then revision.
 *
 * <ol>
 *   <li>Deletes first, folded to one a key, children before parents, in a transaction of their own: tombstones, then the
 *       rows that are not later.
 *   <li>Saves, folded to one a key and statement, parents before children: upserts that a later row or tombstone stops.
 *   <li>Others that were saving when the deletes were committed may not have seen their tombstones, and create a row that
 *       the master no longer has: wait until those have ended, and sweep the deleted keys again. Deletes so wait for
 *       saves, as CREATE INDEX CONCURRENTLY waits for writes, and saves for none.
 * </ol>
 *
 * <p>Each transaction locks its models, in sorted order, as statements of their own, so that the next ones see what others
 * committed: shared, but for forced changes, which need a model for themselves.
 *
 * <p>Belongs to one thread and one connection, which it sets to READ COMMITTED, UTC and ISO dates.
 */
public final class BatchApplier implements AutoCloseable {

    private static final int SECONDS_TO_ANSWER = 5;

    private final Connection connection;
    private final SessionSettings session;
    private final TableShapes shapes;
    private final TombstonePurge purge;
    private final ModelLocks locks;
    private final List<ModelApplier> parentsFirst;
    private final List<ModelApplier> childrenFirst;
    private final Map<CqrsId, ModelApplier> byModel = new HashMap<>();
    private final @Nullable EntitySessions entities;

    private BatchApplier(
            Connection connection,
            SessionSettings session,
            CqrsSchema schema,
            List<ModelApplier> parentsFirst,
            @Nullable EntitySessions entities) {
        this.connection = connection;
        this.session = session;
        this.shapes = new TableShapes(connection);
        this.purge = new TombstonePurge(connection, schema);
        this.locks = new ModelLocks(connection);
        this.parentsFirst = parentsFirst;
        this.childrenFirst = new ArrayList<>(parentsFirst);
        Collections.reverse(childrenFirst);
        parentsFirst.forEach(applier -> byModel.put(applier.cqrsId(), applier));
        this.entities = entities;
    }

    /**
     * Prepares a connection and reads the tables from its catalogue.
     *
     * @param entities opens what handlers of entities work with; null where there are none
     * @param statementTimeout after which the database cancels a statement; null for its own setting
     * @throws io.cqrs.core.CqrsConfigurationException if a table does not fit its declaration, or the schema is missing
     */
    public static BatchApplier open(
            Connection connection,
            Collection<ReplicaDefinition> definitions,
            CqrsSchema schema,
            @Nullable EntitySessions entities,
            @Nullable Duration statementTimeout)
            throws SQLException {
        SessionSettings session = ApplierSession.open(connection, statementTimeout);
        try {
            CqrsSchema.require(connection, schema.tombstone());
            List<ModelApplier> models = new ArrayList<>();
            for (ReplicaDefinition definition : definitions) {
                models.add(applier(connection, definition, schema));
            }
            SessionSql.keepStamps(
                    connection,
                    models.stream()
                            .map(ModelApplier::table)
                            .filter(Objects::nonNull)
                            .toList());
            return new BatchApplier(connection, session, schema, TableOrder.parentsFirst(models), entities);
        } catch (SQLException | RuntimeException e) {
            session.close();
            throw e;
        }
    }

    @SuppressWarnings("unchecked") // a handler of an entity is called with that entity's instances
    private static ModelApplier applier(Connection connection, ReplicaDefinition definition, CqrsSchema schema)
            throws SQLException {
        ReplicaHandler<Object> handler = (ReplicaHandler<Object>) definition.handler();
        if (definition.table() == null) {
            return new CalledApplier(definition.cqrsId(), Objects.requireNonNull(handler, "handler"));
        }
        TableApplier rows = new TableApplier(connection, new Catalogue(connection).read(definition), schema);
        return handler == null ? new SetApplier(rows) : new HandledApplier(rows, handler);
    }

    /**
     * Makes sure that an error was the changes' own: a pool says nothing of a connection that it has given up. The error
     * is no cause of what is thrown, which is logged: its detail may hold values.
     *
     * @throws SQLException as of a lost connection, if it is
     */
    public void requireConnection(Exception error) throws SQLException {
        if (!connection.isValid(SECONDS_TO_ANSWER)) {
            throw new SQLException(
                    "the connection was lost, as of a " + error.getClass().getSimpleName(), "08006");
        }
    }

    /**
     * Makes sure that the table of a model is what it was when the connection was prepared.
     *
     * @throws TableAlteredException if it is not
     * @throws SQLException if the database is gone
     */
    public void requireUnaltered(CqrsId cqrsId) throws SQLException {
        requireUnaltered(Set.of(cqrsId));
    }

    private void requireUnaltered(Set<CqrsId> models) throws SQLException {
        List<ReplicaTable> tables = new ArrayList<>();
        for (CqrsId cqrsId : models) {
            ReplicaTable table = applier(cqrsId).table();
            if (table != null) {
                tables.add(table);
            }
        }
        shapes.requireUnaltered(tables);
    }

    /** Gives the connection back as it was: it may belong to a pool. */
    @Override
    public void close() throws SQLException {
        for (ModelApplier applier : parentsFirst) {
            applier.close();
        }
        session.close();
    }

    /**
     * Applies changes of known models. When it throws, some may be committed all the same: they keep their outcomes when
     * they are applied again.
     *
     * @throws SQLException if the database refuses, or is gone
     * @throws TableAlteredException if a table is not what it was when the connection was prepared
     * @throws io.cqrs.core.ReplicationException if a change does not fit its table
     * @throws HookFailure if a hook failed
     */
    public void apply(List<Pending> batch) throws SQLException {
        try {
            applyInOrder(batch);
        } catch (SQLException e) {
            throw explained(batch, e);
        } catch (ReplicationException | SerializationException | HookFailure | UnsweptException e) {
            throw e;
        } catch (RuntimeException e) {
            // Hibernate's, of a flush or a commit: what the database said decides what becomes of the batch.
            SQLException sql = SqlStates.find(e);
            if (sql != null) {
                throw explained(batch, sql);
            }
            throw e;
        }
    }

    /** Returns the error of a change that is alone, and told which value was refused; else throws what was found. */
    private SQLException explained(List<Pending> batch, SQLException error) throws SQLException {
        Change change = batch.get(0).change();
        ReplicaTable table = applier(change.key().cqrsId()).table();
        if (batch.size() == 1 && table != null && SqlStates.isMisfit(error)) {
            ReplicationException misfit = new MisfitProbe(connection, table).find(change, error);
            if (misfit != null) {
                throw misfit;
            }
        }
        return error;
    }

    /** A fold keeps the delete and the save of a key apart anyway. What is forced keeps its place, in one transaction. */
    private void applyInOrder(List<Pending> batch) throws SQLException {
        if (batch.stream().anyMatch(pending -> pending.change().forced())) {
            transact(batch, true);
            return;
        }
        Map<Boolean, List<Pending>> bySweep = batch.stream().collect(Collectors.partitioningBy(this::isSwept));
        List<Pending> deletes = bySweep.getOrDefault(true, List.of());
        List<Pending> others = uncommitted(bySweep.getOrDefault(false, List.of()));
        if (deletes.isEmpty()) {
            transact(others, false);
            return;
        }
        transact(uncommitted(deletes), false);
        Map<CqrsId, List<Change>> byModel = deletes.stream()
                .map(Pending::change)
                .collect(Collectors.groupingBy(change -> change.key().cqrsId()));
        Set<String> savers = locks.sharers(byModel.keySet());
        transact(others, false);
        locks.awaitEnd(byModel.keySet(), savers);
        sweep(byModel);
    }

    private static List<Pending> uncommitted(List<Pending> batch) {
        return batch.stream().filter(pending -> !pending.isCommitted()).toList();
    }

    private boolean isSwept(Pending pending) {
        return pending.change().signal() == Signal.DELETE
                && applier(pending.change().key().cqrsId()).sweeps();
    }

    private void sweep(Map<CqrsId, List<Change>> deletes) throws SQLException {
        for (ModelApplier applier : childrenFirst) {
            List<Change> changes = deletes.get(applier.cqrsId());
            if (changes != null) {
                applier.sweep(changes);
            }
        }
    }

    private void transact(List<Pending> changes, boolean alone) throws SQLException {
        if (!changes.isEmpty()) {
            int unused = Transactions.run(connection, same -> applyWithin(changes, alone));
            changes.forEach(Pending::commit);
        }
    }

    private int applyWithin(List<Pending> batch, boolean alone) throws SQLException {
        Set<CqrsId> models = new TreeSet<>();
        batch.forEach(pending -> models.add(pending.change().key().cqrsId()));
        for (CqrsId cqrsId : models) {
            locks.lock(cqrsId, alone);
        }
        try (LazyEntities context = new LazyEntities(entities, connection)) {
            for (Run run : runs(batch)) {
                apply(run, context);
            }
            context.flush();
            requireUnaltered(models);
            context.commit();
        }
        return batch.size();
    }

    /**
     * Forgets the tombstones received so long ago, by the database's clock, and remembers up to which time they reached.
     *
     * @throws SQLException if the database refuses, or is gone
     */
    public void purgeTombstones(Duration age) throws SQLException {
        for (ModelApplier applier : parentsFirst) {
            purge.run(applier.cqrsId(), age);
        }
    }

    private void apply(Run run, LazyEntities context) throws SQLException {
        Map<CqrsId, List<Pending>> changed = new HashMap<>();
        for (Pending pending : run.changes()) {
            changed.computeIfAbsent(pending.change().key().cqrsId(), id -> new ArrayList<>())
                    .add(pending);
        }
        Map<CqrsId, ModelApplier.Work> works = new HashMap<>();
        changed.forEach((cqrsId, changes) ->
                works.put(cqrsId, applier(cqrsId).begin(new ModelApplier.Batch(changes, run.forced(), context))));
        for (ModelApplier applier : childrenFirst) {
            ModelApplier.Work work = works.get(applier.cqrsId());
            if (work != null) {
                work.delete();
            }
        }
        for (ModelApplier applier : parentsFirst) {
            ModelApplier.Work work = works.get(applier.cqrsId());
            if (work != null) {
                work.save();
            }
        }
    }

    private ModelApplier applier(CqrsId cqrsId) {
        ModelApplier applier = byModel.get(cqrsId);
        if (applier == null) {
            throw new IllegalArgumentException("no replica of " + cqrsId);
        }
        return applier;
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
