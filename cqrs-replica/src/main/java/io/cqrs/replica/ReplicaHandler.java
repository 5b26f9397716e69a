package io.cqrs.replica;

import io.cqrs.core.Change;
import io.cqrs.core.CqrsConfigurationException;
import java.lang.reflect.Constructor;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What happens to a replica's rows, hook by hook: override those that should do something else than fill the row.
 *
 * <p>Hooks see every change that the guard lets through, one by one, in the order of arrival, within the one transaction
 * of the batch; the rows of a batch are loaded by one query, locked, and written together at its end. A hook that returns
 * null or false, or throws, fails its change: the batch is rolled back and applied again in halves, so a hook may run
 * again for a change whose first run was rolled back. It is tried again as {@link #shouldRetry} says; a {@link
 * io.cqrs.core.ReplicationException} sends it to the dead letters at once. What reaches outside of the transaction belongs into
 * {@link #afterCommit}.
 *
 * <p>Called by worker threads, several at a time, never for the same row at once: must be thread-safe. Without a table there
 * is neither a guard nor a lock: every message is passed on, in the order of arrival at its worker.
 *
 * @param <T> the entity of a {@link Replica}; for a handler without a table whatever it likes
 */
public abstract class ReplicaHandler<T> {

    /** Creates the handler: of a class that {@link Replica#handler} names, by a constructor without parameters. */
    protected ReplicaHandler() {}

    /**
     * Saves a state: creates the row, or updates it. The one hook, beside {@link #delete}, of a handler without a table.
     *
     * @param row the row, managed and locked, or null where there is none
     * @return the row, or null if this failed
     * @throws Exception if it failed; the change is tried again, see {@link #shouldRetry}
     */
    public @Nullable T save(@Nullable T row, Change change, ReplicaContext<T> context) throws Exception {
        return row == null ? create(change, context) : update(row, change, context);
    }

    /**
     * Creates a row; it is persisted, and gets its revision and time, when this returns.
     *
     * @return the new row, or null if this failed
     * @throws Exception if it failed
     */
    public @Nullable T create(Change change, ReplicaContext<T> context) throws Exception {
        return context.fill(context.newRow());
    }

    /**
     * Updates a row.
     *
     * @return the row, or null if this failed
     * @throws Exception if it failed
     */
    public @Nullable T update(T row, Change change, ReplicaContext<T> context) throws Exception {
        return context.fill(row);
    }

    /**
     * Deletes a row. The key is remembered as deleted, so that a late state does not create it again; a row that an
     * override keeps is updated by a later state of the master.
     *
     * @param row the row, or null where there is none
     * @return false if this failed
     * @throws Exception if it failed
     */
    public boolean delete(@Nullable T row, Change change, ReplicaContext<T> context) throws Exception {
        if (row != null) {
            context.remove(row);
        }
        return true;
    }

    /**
     * Says whether a change that failed is tried again; otherwise it goes to the dead letters.
     *
     * @param retries how often it was tried again already, 0 at its first failure
     * @param policy the replica's
     */
    public boolean shouldRetry(int retries, Exception error, RetryPolicy policy) {
        return retries < policy.maxRetries();
    }

    /**
     * Says how long a change waits for its next attempt, rounded up as {@link RetryPolicy} says.
     *
     * @param retry which one it will be, from 1
     */
    public Duration retryDelay(int retry, RetryPolicy policy) {
        return policy.backoff().delay(retry);
    }

    /**
     * Is told of a change that was applied, after its commit and before its acknowledgement: the place for side effects.
     * Not told again where the process dies in between. What it throws is logged.
     */
    public void afterCommit(Change change) {}

    /**
     * Makes a handler of its class.
     *
     * @throws CqrsConfigurationException if it has no constructor without parameters
     */
    static ReplicaHandler<?> make(Class<? extends ReplicaHandler<?>> type) {
        try {
            Constructor<? extends ReplicaHandler<?>> constructor = type.getDeclaredConstructor();
            constructor.setAccessible(true);
            return constructor.newInstance();
        } catch (ReflectiveOperationException | RuntimeException e) {
            throw new CqrsConfigurationException(
                    "handler " + type.getName()
                            + " can't be made by a constructor without parameters: add one, or set who makes handlers",
                    e);
        }
    }
}
