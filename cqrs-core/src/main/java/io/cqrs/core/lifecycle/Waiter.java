package io.cqrs.core.lifecycle;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Lets one thread wait for a time or until somebody wakes it; a wake before the wait is not lost.
 *
 * <p>Thread-safe: any number of threads may wake, wakes coalesce.
 */
public final class Waiter {

    private final Ticker ticker;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private boolean woken;

    /** Creates a waiter on the system's ticker. */
    public Waiter() {
        this(Ticker.SYSTEM);
    }

    /** Creates a waiter that measures its waits by this ticker. */
    public Waiter(Ticker ticker) {
        this.ticker = ticker;
    }

    /** Ends the current wait, or the next one at once. */
    public void wake() {
        lock.lock();
        try {
            woken = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits.
     *
     * @param longest how long at most
     * @return whether it was woken before the time was over
     * @throws InterruptedException if the thread is interrupted
     */
    public boolean await(Duration longest) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            long deadline = ticker.nanoTime() + longest.toNanos();
            long left = deadline - ticker.nanoTime();
            while (!woken && left > 0) {
                long unused = changed.awaitNanos(left);
                left = deadline - ticker.nanoTime();
            }
            boolean result = woken;
            woken = false;
            return result;
        } finally {
            lock.unlock();
        }
    }
}
