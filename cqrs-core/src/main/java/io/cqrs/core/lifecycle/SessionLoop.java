package io.cqrs.core.lifecycle;

import io.cqrs.core.Backoff;
import io.cqrs.core.CqrsException;
import io.cqrs.core.jdbc.SqlStates;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs a session on a thread of its own, again and again, until it is closed.
 *
 * <ol>
 *   <li>{@link #start} starts the daemon thread {@code cqrs-<name>}, which opens a session and runs it.
 *   <li>A session that fails with an exception is logged and begun anew after the backoff's delay, for ever; the count
 *       of failures starts again once a session has called {@link Control#progressed}.
 *   <li>An {@code Error} ends the loop loudly: {@link #failure} tells it from then on.
 *   <li>{@link #close} asks the session to end, waits for the limit, interrupts it, and waits a little more.
 * </ol>
 *
 * <p>Thread-safe.
 */
public final class SessionLoop implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(SessionLoop.class);
    private static final Duration INTERRUPTED_LIMIT = Duration.ofSeconds(2);

    private final String name;
    private final Session session;
    private final Backoff backoff;
    private final Duration closeLimit;
    private final Waiter waiter = new Waiter();
    private final Control control = new LoopControl();
    private final Thread thread;
    private volatile boolean stopping;
    private volatile @Nullable Throwable failure;
    private volatile int failures;
    private volatile long progressedAt = System.nanoTime();

    /** What is run: returns when {@link Control#stopping} says so, or throws. */
    @FunctionalInterface
    public interface Session {
        /**
         * Runs until asked to stop.
         *
         * @throws Exception anything that ends this session but not the loop
         */
        void run(Control control) throws Exception;
    }

    /** How a session and its loop talk. */
    public interface Control {
        /** Says whether the session should end soon. */
        boolean stopping();

        /** Tells the loop that the session works: the next failure counts as the first. */
        void progressed();

        /** What the session waits on: {@link SessionLoop#wake} and {@link SessionLoop#close} wake it. */
        Waiter waiter();

        /**
         * Waits for a time that only a stop ends: a wake must not cut it short, or a busy writer would turn a wait
         * between attempts into a hot loop.
         *
         * @throws InterruptedException if the thread is interrupted
         */
        void pause(Duration time) throws InterruptedException;
    }

    /**
     * Creates the loop without starting it.
     *
     * @param name names the thread ({@code cqrs-<name>}) and the log lines, as in {@code relay-1}
     * @param backoff the wait between a failed session and the next one
     * @param closeLimit how long {@link #close} lets a session finish before it interrupts it
     */
    public SessionLoop(String name, Backoff backoff, Duration closeLimit, Session session) {
        this.name = Objects.requireNonNull(name, "name");
        this.session = Objects.requireNonNull(session, "session");
        this.backoff = Objects.requireNonNull(backoff, "backoff");
        this.closeLimit = Objects.requireNonNull(closeLimit, "closeLimit");
        this.thread = new Thread(this::runSessions, "cqrs-" + name);
        this.thread.setDaemon(true);
    }

    /**
     * Starts the thread.
     *
     * @throws IllegalThreadStateException if it was started before
     */
    public void start() {
        thread.start();
    }

    /** Ends a wait of the session. */
    public void wake() {
        waiter.wake();
    }

    /** Asks the session to end without waiting for it. */
    public void stop() {
        stopping = true;
        waiter.wake();
    }

    /** Says whether the loop's thread runs. */
    public boolean isRunning() {
        return thread.isAlive();
    }

    /** Returns how long ago the session said last that it works. */
    public Duration sinceProgress() {
        return Duration.ofNanos(System.nanoTime() - progressedAt);
    }

    /** Returns the loop's name. */
    public String name() {
        return name;
    }

    /** Returns what ended the loop for good, or what the last session failed with; null while all is well. */
    public @Nullable Throwable failure() {
        return failure;
    }

    /** Stops the loop, waiting for the session to end. */
    @Override
    public void close() {
        closeAll(List.of(this));
    }

    /** Stops loops together: all of them within the longest limit of one. */
    public static void closeAll(List<SessionLoop> loops) {
        loops.forEach(SessionLoop::stop);
        try {
            long start = System.nanoTime();
            for (SessionLoop loop : loops) {
                loop.join(loop.closeLimit.toNanos() - (System.nanoTime() - start));
            }
            for (SessionLoop loop : loops) {
                if (loop.isRunning()) {
                    LOG.warn("{}: did not end within {}, interrupting it", loop.name, loop.closeLimit);
                    loop.thread.interrupt();
                }
            }
            for (SessionLoop loop : loops) {
                loop.join(INTERRUPTED_LIMIT.toNanos());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void join(long nanos) throws InterruptedException {
        if (thread.isAlive() && nanos > 0) {
            thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(nanos)));
        }
    }

    private void runSessions() {
        try {
            while (!stopping) {
                runOnce();
            }
        } catch (InterruptedException e) {
            LOG.info("{}: interrupted, stopping", name);
        } catch (Throwable e) {
            failure = e;
            LOG.error("{}: ended by an error, restart the process", name, e);
            throw e;
        }
    }

    private void runOnce() throws InterruptedException {
        try {
            session.run(control);
            failure = null;
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception e) {
            if (!stopping) {
                failures++;
                failure = e;
                Duration delay = backoff.delay(failures);
                log(e, delay);
                control.pause(delay);
            }
        }
    }

    /** What says by itself what is wrong needs no trace; others show where they come from. */
    private void log(Exception error, Duration delay) {
        if (error instanceof CqrsException || error instanceof SQLException refused && isServers(refused)) {
            LOG.warn("{}: {}; failed {} time(s), trying again in {}", name, error.getMessage(), failures, delay);
            LOG.debug("{}: failed", name, error);
        } else {
            LOG.warn("{}: failed {} time(s) in a row, trying again in {}", name, failures, delay, error);
        }
    }

    private static boolean isServers(SQLException error) {
        return SqlStates.isUnavailable(error) || SqlStates.isNoEntry(error) || SqlStates.isRefusing(error);
    }

    private final class LoopControl implements Control {
        @Override
        public boolean stopping() {
            return stopping;
        }

        @Override
        public void progressed() {
            failures = 0;
            failure = null;
            progressedAt = System.nanoTime();
        }

        @Override
        public Waiter waiter() {
            return waiter;
        }

        @Override
        public void pause(Duration time) throws InterruptedException {
            long end = System.nanoTime() + time.toNanos();
            long left = time.toNanos();
            while (!stopping && left > 0) {
                boolean unused = waiter.await(Duration.ofNanos(left));
                left = end - System.nanoTime();
            }
        }
    }
}
