package io.cqrs.replica.internal.apply;

import io.cqrs.core.Change;
import io.cqrs.core.ReplicationException;
import io.cqrs.core.SerializationException;
import io.cqrs.replica.ReplicaContext;
import io.cqrs.transport.JavaValues;
import jakarta.persistence.EntityManager;
import java.sql.Connection;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The context of one call of a hook. */
final class HookContext implements ReplicaContext<Object> {

    private final Change change;
    private final LazyEntities entities;
    private final boolean hasTable;

    HookContext(Change change, LazyEntities entities, boolean hasTable) {
        this.change = change;
        this.entities = entities;
        this.hasTable = hasTable;
    }

    @Override
    public Object newRow() {
        return table().create(change.key());
    }

    @Override
    public Object fill(Object row) {
        table().fill(row, change);
        return row;
    }

    @Override
    public void remove(Object row) {
        table().manager().remove(row);
    }

    @Override
    public Map<String, @Nullable Object> data() {
        return named(change.data());
    }

    @Override
    public Map<String, @Nullable Object> previousData() {
        Map<String, @Nullable Object> previous = change.previous();
        return previous == null ? Map.of() : named(previous);
    }

    @Override
    public <V> V dataAs(Class<V> type) {
        try {
            return JavaValues.read(change.data(), type);
        } catch (SerializationException e) {
            throw new ReplicationException("the change of " + change.key() + ": " + e.getMessage(), e);
        }
    }

    @Override
    public EntityManager entityManager() {
        return entities.get().manager();
    }

    @Override
    public Connection connection() {
        return entities.connection();
    }

    private Map<String, @Nullable Object> named(Map<String, @Nullable Object> data) {
        return hasTable ? entities.get().named(change.key().cqrsId(), data) : data;
    }

    private EntitySession table() {
        if (!hasTable) {
            throw new IllegalStateException("the handler of " + change.key().cqrsId()
                    + " has no table: override save and delete, and return something");
        }
        return entities.get();
    }
}
