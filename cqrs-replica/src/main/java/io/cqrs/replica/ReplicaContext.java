package io.cqrs.replica;

import jakarta.persistence.EntityManager;
import java.sql.Connection;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a hook works with: one change, in the transaction of its batch. Valid within the hook only, on its thread.
 *
 * @param <T> the entity
 */
public interface ReplicaContext<T> {

    /**
     * Returns a new instance with its id set, not persisted yet.
     *
     * @throws IllegalStateException if the handler has no table
     */
    T newRow();

    /**
     * Sets the attributes that the change has fields for, as it is done without hooks; others keep their values.
     *
     * @return the row
     * @throws io.cqrs.core.ReplicationException if a value does not fit its attribute, naming model, key and field
     * @throws IllegalStateException if the handler has no table, or the replica a custom serialization
     */
    T fill(T row);

    /**
     * Removes a row.
     *
     * @throws IllegalStateException if the handler has no table
     */
    void remove(T row);

    /**
     * Returns the change's data by the replica's own names. Fields that no name is mapped for are left out, unless the
     * replica has no table or a custom serialization, where all are there by the master's names. Values are texts, numbers
     * ({@code Long}, {@code BigInteger}, {@code BigDecimal}), booleans, lists, maps and null.
     */
    Map<String, @Nullable Object> data();

    /** Returns the old values of tracked fields in the same way; empty where the master tracks none. */
    Map<String, @Nullable Object> previousData();

    /**
     * Returns the change's data as a record or bean: its properties in snake case are the master's fields, what it lacks is
     * left out, what is missing is null.
     *
     * @param <V> the type
     * @throws io.cqrs.core.ReplicationException if a value does not fit
     */
    <V> V dataAs(Class<V> type);

    /**
     * Returns the batch's persistence context. What is written through it is committed with the batch.
     *
     * @throws IllegalStateException if the replica was built without a persistence unit
     */
    EntityManager entityManager();

    /** Returns the batch's connection, in its transaction: not to be committed or closed. */
    Connection connection();
}
