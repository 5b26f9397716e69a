package io.cqrs.replica.internal.apply;

import io.cqrs.core.Change;
import io.cqrs.core.CqrsId;
import io.cqrs.core.EntityKey;
import io.cqrs.core.Signal;
import io.cqrs.replica.Outcome;
import io.cqrs.replica.ReplicaHandler;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Applies changes through the hooks of entities: every one, in the order of arrival, under the same guard.
 *
 * <ol>
 *   <li>Lock the keys, absent ones too, then the rows, each in sorted order; read what is stored of them.
 *   <li>Load the rows in one query.
 *   <li>For each change that the guard lets through, call the hook.
 *   <li>Write the rows as one batch, then the tombstones.
 * </ol>
 */
final class HandledApplier implements ModelApplier {

    private final TableApplier rows;
    private final ReplicaHandler<Object> handler;

    HandledApplier(TableApplier rows, ReplicaHandler<Object> handler) {
        this.rows = rows;
        this.handler = handler;
    }

    @Override
    public CqrsId cqrsId() {
        return rows.table().cqrsId();
    }

    @Override
    public ReplicaTable table() {
        return rows.table();
    }

    /** Keys are locked instead. */
    @Override
    public boolean sweeps() {
        return false;
    }

    @Override
    public Work begin(Batch batch) {
        return () -> new Run(batch).apply();
    }

    @Override
    public void close() throws SQLException {
        rows.close();
    }

    /** One batch. */
    private final class Run {

        private final Batch batch;
        private final EntitySession entities;
        private final Map<EntityKey, Change> deletes = new LinkedHashMap<>();
        private final Set<EntityKey> removed = new LinkedHashSet<>();

        private Run(Batch batch) {
            this.batch = batch;
            this.entities = batch.entities().get();
        }

        private void apply() throws SQLException {
            Map<EntityKey, Change> byKey = new LinkedHashMap<>();
            batch.changes()
                    .forEach(pending -> byKey.putIfAbsent(pending.change().key(), pending.change()));
            Map<EntityKey, KeyState> states = rows.lock(List.copyOf(byKey.values()));
            List<EntityKey> present = states.entrySet().stream()
                    .filter(one -> one.getValue().exists())
                    .map(Map.Entry::getKey)
                    .toList();
            entities.load(cqrsId(), present)
                    .forEach((key, entity) -> state(states, key).loaded(entity));
            if (batch.forced()) {
                rows.forget(List.copyOf(byKey.values()));
                states.values().forEach(KeyState::forgotten);
            }
            for (Pending pending : batch.changes()) {
                KeyState state = state(states, pending.change().key());
                pending.end(
                        pending.change().signal() == Signal.DELETE
                                ? delete(pending.change(), state)
                                : save(pending.change(), state));
            }
            entities.flush();
            rows.bury(new ArrayList<>(deletes.values()));
        }

        private Outcome save(Change change, KeyState state) throws SQLException {
            Outcome outcome = state.judgeSave(change, table().order(), batch.forced());
            if (outcome != Outcome.APPLIED && outcome != Outcome.APPLIED_AFTER_GAP) {
                return outcome;
            }
            if (removed.remove(change.key())) {
                // Hibernate would insert the new row before it deletes the old one.
                entities.flush();
            }
            HookContext context = new HookContext(change, batch.entities(), true);
            Object row = HookFailure.calling(handler, "save", change, batch.entities(), () -> {
                Object saved = handler.save(state.entity(), change, context);
                if (saved != null) {
                    entities.stamp(cqrsId(), saved, change.stamp());
                    if (!entities.manager().contains(saved)) {
                        entities.persist(saved);
                    }
                }
                return saved;
            });
            state.saved(row, change.stamp());
            return outcome;
        }

        private Outcome delete(Change change, KeyState state) throws SQLException {
            Outcome outcome = state.judgeDelete(change);
            if (outcome == Outcome.DUPLICATE) {
                return outcome;
            }
            if (outcome == Outcome.APPLIED) {
                HookContext context = new HookContext(change, batch.entities(), true);
                Object unused = HookFailure.calling(
                        handler,
                        "delete",
                        change,
                        batch.entities(),
                        () -> handler.delete(state.entity(), change, context) ? Boolean.TRUE : null);
                if (state.entity() != null && !entities.manager().contains(state.entity())) {
                    state.removed();
                    removed.add(change.key());
                }
            }
            state.buried(change.stamp());
            deletes.put(change.key(), change);
            return outcome;
        }

        private KeyState state(Map<EntityKey, KeyState> states, EntityKey key) {
            KeyState state = states.get(key);
            if (state == null) {
                throw new IllegalStateException("nothing was read of " + key);
            }
            return state;
        }
    }
}
