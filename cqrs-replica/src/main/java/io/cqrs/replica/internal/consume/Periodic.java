package io.cqrs.replica.internal.consume;

import java.time.Duration;
import java.time.Instant;

/** Says when something is due again, by a clock that may be set. Belongs to one thread. */
final class Periodic {

    private final Duration interval;
    private Instant last;

    /** Begins an interval. */
    Periodic(Duration interval, Instant now) {
        this.interval = interval;
        this.last = now;
    }

    /** Returns whether the interval has passed, or the clock was set back, which nobody shall wait out; then begins the next. */
    boolean isDue(Instant now) {
        boolean due = now.isBefore(last) || !now.isBefore(last.plus(interval));
        if (due) {
            last = now;
        }
        return due;
    }
}
