package io.cqrs.core;

import java.time.Duration;
import java.util.Objects;

/** Says how long to wait after the n-th failure in a row. Implementations are immutable and thread-safe. */
@FunctionalInterface
public interface Backoff {

    /**
     * Returns the wait after a failure.
     *
     * @param attempt how many attempts failed in a row, 1 or more
     */
    Duration delay(int attempt);

    /**
     * Returns the same wait after each failure.
     *
     * @throws IllegalArgumentException if the delay is negative
     */
    static Backoff constant(Duration delay) {
        requireNotNegative("delay", delay);
        return attempt -> delay;
    }

    /**
     * Returns a wait that doubles with each failure, up to a ceiling.
     *
     * @param first the wait after the first failure, more than zero
     * @param ceiling the longest wait
     * @throws IllegalArgumentException if {@code first} is not positive or exceeds {@code ceiling}
     */
    static Backoff exponential(Duration first, Duration ceiling) {
        Objects.requireNonNull(ceiling, "ceiling");
        requireNotNegative("first", first);
        if (first.isZero() || first.compareTo(ceiling) > 0) {
            throw new IllegalArgumentException(
                    "first delay " + first + " must be more than zero and at most the ceiling " + ceiling);
        }
        return attempt -> {
            int doublings = Math.min(Math.max(attempt, 1) - 1, 30);
            Duration delay = first.multipliedBy(1L << doublings);
            return delay.compareTo(ceiling) > 0 ? ceiling : delay;
        };
    }

    private static void requireNotNegative(String name, Duration value) {
        if (Objects.requireNonNull(value, name).isNegative()) {
            throw new IllegalArgumentException(name + " " + value + " is negative");
        }
    }
}
