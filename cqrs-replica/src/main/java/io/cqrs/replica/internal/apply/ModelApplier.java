package io.cqrs.replica.internal.apply;

import io.cqrs.core.Change;
import io.cqrs.core.CqrsId;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Applies the changes of one model within the caller's transaction. Belongs to one connection.
 *
 * <p>Deletes of all models come first, children before parents, then saves, parents before children.
 */
interface ModelApplier extends AutoCloseable {

    CqrsId cqrsId();

    /** Returns the table, or null where there is none. */
    @Nullable
    ReplicaTable table();

    /** Says whether deletes come before all saves, and their keys are swept behind saves that did not see them. */
    boolean sweeps();

    /** Removes rows of these keys that are not later than their tombstones. */
    default void sweep(List<Change> deletes) throws SQLException {}

    /** Takes a batch's changes of this model, in their order, all forced or none. */
    Work begin(Batch batch);

    @Override
    void close() throws SQLException;

    /**
     * Changes of one model.
     *
     * @param changes in the order of arrival
     * @param forced whether they go below later states
     * @param entities the batch's persistence context
     */
    record Batch(List<Pending> changes, boolean forced, LazyEntities entities) {}

    /** What is to be done. */
    @FunctionalInterface
    interface Work {
        /** Deletes what is to be deleted before anything is saved; nothing, where changes keep their order of arrival. */
        default void delete() throws SQLException {}

        /** Saves, and deletes what is left. */
        void save() throws SQLException;
    }

    /** Returns the oids of tables that must be filled before. */
    default Set<Long> parents() {
        ReplicaTable table = table();
        return table == null ? Set.of() : table.parents();
    }
}
