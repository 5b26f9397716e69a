package io.cqrs.replica.internal.apply;

import io.cqrs.core.Change;
import io.cqrs.core.CqrsId;
import io.cqrs.core.EntityKey;
import io.cqrs.core.Stamp;
import jakarta.persistence.EntityManager;
import java.util.Collection;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The entities of one batch, in its transaction. Belongs to its thread. */
public interface EntitySession extends AutoCloseable {

    /** Loads the entities that there are, in one query. */
    Map<EntityKey, Object> load(CqrsId model, Collection<EntityKey> keys);

    /** Returns a new instance with its id, not persisted. */
    Object create(EntityKey key);

    /**
     * Sets the attributes that the change has fields for.
     *
     * @throws io.cqrs.core.ReplicationException if a value does not fit
     */
    void fill(Object entity, Change change);

    /** Returns wire data by the names of attributes. */
    Map<String, @Nullable Object> named(CqrsId model, Map<String, @Nullable Object> data);

    /** Sets revision and time. */
    void stamp(CqrsId model, Object entity, Stamp stamp);

    /**
     * Makes a new instance a row's.
     *
     * @throws io.cqrs.core.ReplicationException if an attribute lacks the value that it must have
     */
    void persist(Object entity);

    /**
     * Writes what is not written yet.
     *
     * @throws io.cqrs.core.ReplicationException if an attribute lacks the value that it must have
     */
    void flush();

    /** Returns the persistence context. */
    EntityManager manager();

    /** Writes what is not written yet, and commits the connection's transaction. */
    void commit();

    /** Ends the persistence context; what was not committed is left to the connection's transaction. */
    @Override
    void close();
}
