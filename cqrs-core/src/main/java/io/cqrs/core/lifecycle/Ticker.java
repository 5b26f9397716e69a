package io.cqrs.core.lifecycle;

/** A monotonic clock: it measures spans and does not jump when the system's time is set. */
@FunctionalInterface
public interface Ticker {

    /** The machine's own. */
    Ticker SYSTEM = System::nanoTime;

    /** Returns nanoseconds since an arbitrary origin. */
    long nanoTime();
}
