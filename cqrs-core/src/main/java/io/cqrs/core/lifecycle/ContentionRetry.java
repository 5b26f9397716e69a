package io.cqrs.core.lifecycle;

import io.cqrs.core.jdbc.SqlStates;
import java.sql.SQLException;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs a transaction again that was rolled back by contention, a few times, a little later each. Stateless. */
public final class ContentionRetry {

    private static final Logger LOG = LoggerFactory.getLogger(ContentionRetry.class);
    private static final Duration TELL_AFTER = Duration.ofSeconds(5);
    private static final Duration PAUSE = Duration.ofMillis(50);
    private static final int MOST_ATTEMPTS = 10;

    private ContentionRetry() {}

    /**
     * A transaction as a whole.
     *
     * @param <T> its result
     * @param <E> what it throws
     */
    @FunctionalInterface
    public interface Attempt<T, E extends Exception> {
        /** Runs it from its begin to its commit, or to its rollback. */
        T run() throws E;
    }

    /**
     * Returns the result of the first attempt that no contention ends.
     *
     * @throws E what the last attempt throws
     * @throws InterruptedException if the thread is interrupted between two attempts
     */
    public static <T, E extends Exception> T run(Attempt<T, E> attempt) throws E, InterruptedException {
        return run(attempt, false);
    }

    /**
     * The same with attempts that give up a lock they don't get soon, as {@code lock_timeout} has them: these may be any
     * number, since whoever holds it may hold it for long, and between two of them nothing is held from others.
     *
     * @throws E what the last attempt throws
     * @throws InterruptedException if the thread is interrupted between two attempts
     */
    public static <T, E extends Exception> T runYielding(Attempt<T, E> attempt) throws E, InterruptedException {
        return run(attempt, true);
    }

    private static <T, E extends Exception> T run(Attempt<T, E> attempt, boolean yielding)
            throws E, InterruptedException {
        int counted = 0;
        long begun = System.nanoTime();
        boolean told = false;
        while (true) {
            try {
                return attempt.run();
            } catch (Exception e) {
                SQLException cause = SqlStates.find(e);
                boolean yielded = yielding && cause != null && SqlStates.isLockNotAvailable(cause);
                counted += yielded ? 0 : 1;
                if (cause == null || !SqlStates.isContention(cause) || counted == MOST_ATTEMPTS) {
                    throw e;
                }
                if (!told && yielded && System.nanoTime() - begun > TELL_AFTER.toNanos()) {
                    told = true;
                    LOG.warn(
                            "waits for rows that another transaction has locked, which must not be the caller's own: {}",
                            cause.getMessage());
                }
            }
            boolean unused = new Waiter().await(PAUSE.multipliedBy(Math.max(1, counted)));
        }
    }
}
