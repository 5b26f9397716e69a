package io.cqrs.replica.internal.apply;

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
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Applies a batch of changes in one transaction, or its deletes in one before, under the guard: last writer wins by time,
 * then revision.
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
        this.locks = new SessionSql(schema);
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
        Map<String, String> settings = new HashMap<>(SessionSql.SETTINGS);
        if (statementTimeout != null) {
            settings.put("statement_timeout", Long.toString(statementTimeout.toMillis()));
        }
        SessionSettings session = SessionSettings.set(connection, settings);
        try {
            CqrsSchema.require(connection, schema.tombstone());
            List<ModelApplier> models = new ArrayList<>();
            for (ReplicaDefinition definition : definitions) {
                models.add(applier(connection, definition, schema));
            }
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

    /** Gives the connection back as it was: it may belong to a pool. */
    @Override
    public void close() throws SQLException {
        for (ModelApplier applier : parentsFirst) {
            applier.close();
        }
        session.close();
    }

    /**
     * Applies changes of known models; when it throws, none, or the deletes alone, which are then settled.
     *
     * @throws SQLException if the database refuses, or is gone
     * @throws io.cqrs.core.ReplicationException if a change does not fit its table
     * @throws HookFailure if a hook failed
     */
    public void apply(List<Pending> batch) throws SQLException {
        try {
            applyInOrder(batch);
        } catch (ReplicationException | SerializationException | HookFailure e) {
            throw e;
        } catch (RuntimeException e) {
            // Hibernate's, of a flush or a commit: what the database said decides what becomes of the batch.
            SQLException sql = SqlStates.find(e);
            if (sql != null) {
                throw sql;
            }
            throw e;
        }
    }

    /**
     * Deletes, which need their model's lock for themselves, get a short transaction of their own before the saves, so that
     * others wait for no more than that. A fold keeps the two of a key apart anyway. What is forced keeps its place.
     */
    private void applyInOrder(List<Pending> batch) throws SQLException {
        List<Pending> open =
                batch.stream().filter(pending -> !pending.isSettled()).toList();
        boolean forced = open.stream().anyMatch(pending -> pending.change().forced());
        Map<Boolean, List<Pending>> byLock = open.stream().collect(Collectors.partitioningBy(this::needsLock));
        List<Pending> deletes = byLock.getOrDefault(true, List.of());
        List<Pending> others = byLock.getOrDefault(false, List.of());
        if (forced || deletes.isEmpty() || others.isEmpty()) {
            transact(open);
        } else {
            transact(deletes);
            deletes.forEach(Pending::settle);
            transact(others);
        }
    }

    private boolean needsLock(Pending pending) {
        return pending.change().signal() == Signal.DELETE
                && applier(pending.change().key().cqrsId()).locksModel();
    }

    private void transact(List<Pending> changes) throws SQLException {
        if (!changes.isEmpty()) {
            int unused = Transactions.run(connection, same -> applyWithin(changes));
        }
    }

    private int applyWithin(List<Pending> batch) throws SQLException {
        Map<CqrsId, Instant> horizons = lock(batch);
        try (LazyEntities context = new LazyEntities(entities, connection)) {
            for (Run run : runs(batch)) {
                apply(run, horizons, context);
            }
            context.commit();
        }
        return batch.size();
    }

    /**
     * Forgets the tombstones received before the cut-off, and remembers up to which time they reached.
     *
     * @throws SQLException if the database refuses, or is gone
     */
    public void purgeTombstones(Instant cutOff) throws SQLException {
        for (ModelApplier applier : parentsFirst) {
            String cqrsId = applier.cqrsId().value();
            Transactions.run(connection, same -> {
                lock(applier.cqrsId(), true);
                try (Statement untimed = connection.createStatement()) {
                    untimed.execute("set local statement_timeout = 0");
                }
                try (PreparedStatement purge = connection.prepareStatement(locks.purge())) {
                    purge.setString(1, cqrsId);
                    purge.setObject(2, OffsetDateTime.ofInstant(cutOff, ZoneOffset.UTC));
                    purge.setString(3, cqrsId);
                    return purge.executeUpdate();
                }
            });
        }
    }

    private void apply(Run run, Map<CqrsId, Instant> horizons, LazyEntities context) throws SQLException {
        Map<CqrsId, List<Pending>> changed = new HashMap<>();
        for (Pending pending : run.changes()) {
            changed.computeIfAbsent(pending.change().key().cqrsId(), id -> new ArrayList<>())
                    .add(pending);
        }
        Map<CqrsId, ModelApplier.Work> works = new HashMap<>();
        changed.forEach((cqrsId, changes) -> works.put(
                cqrsId,
                applier(cqrsId).begin(new ModelApplier.Batch(changes, run.forced(), horizons.get(cqrsId), context))));
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

    /** Locks the models and returns their horizons, which a purge changes only under the exclusive lock. */
    private Map<CqrsId, Instant> lock(List<Pending> batch) throws SQLException {
        Map<CqrsId, Boolean> models = new TreeMap<>();
        for (Pending pending : batch) {
            boolean exclusive = needsLock(pending)
                    || (pending.change().forced()
                            && applier(pending.change().key().cqrsId()).locksModel());
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
            SessionSql.lock(statement);
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
