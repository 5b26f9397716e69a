package io.cqrs.replica.internal.apply;

import io.cqrs.core.Change;
import io.cqrs.core.CqrsId;
import io.cqrs.core.Signal;
import io.cqrs.replica.Outcome;
import io.cqrs.replica.ReplicaHandler;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** Calls a handler that has no table: for every change, in the order of arrival. There is no row to guard by. */
final class CalledApplier implements ModelApplier {

    private final CqrsId cqrsId;
    private final ReplicaHandler<Object> handler;

    CalledApplier(CqrsId cqrsId, ReplicaHandler<Object> handler) {
        this.cqrsId = cqrsId;
        this.handler = handler;
    }

    @Override
    public CqrsId cqrsId() {
        return cqrsId;
    }

    @Override
    public @Nullable ReplicaTable table() {
        return null;
    }

    @Override
    public boolean sweeps() {
        return false;
    }

    @Override
    public Work begin(Batch batch) {
        return () -> {
            for (Pending pending : batch.changes()) {
                call(pending.change(), batch.entities());
                pending.end(Outcome.APPLIED);
            }
        };
    }

    private void call(Change change, LazyEntities entities) throws SQLException {
        HookContext context = new HookContext(change, entities, false);
        if (change.signal() == Signal.DELETE) {
            Object unused = HookFailure.calling(
                    handler,
                    "delete",
                    change,
                    entities,
                    () -> handler.delete(null, change, context) ? Boolean.TRUE : null);
        } else {
            Object unused =
                    HookFailure.calling(handler, "save", change, entities, () -> handler.save(null, change, context));
        }
    }

    @Override
    public void close() {
        // It holds nothing.
    }
}
