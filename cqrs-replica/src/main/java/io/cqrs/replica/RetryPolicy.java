package io.cqrs.replica;

import io.cqrs.core.Backoff;
import java.time.Duration;
import java.util.Objects;

/**
 * How often and how soon a change that failed is tried again. Immutable.
 *
 * @param maxRetries after so many retries it goes to the dead letters; 0 for none
 * @param backoff the wait before each retry; rounded up to one of 1, 2, 5, 15, 60, 300, 900
 *     and 3600 seconds, since each is a queue in the broker
 */
public record RetryPolicy(int maxRetries, Backoff backoff) {

    /** 30 retries, from 2 seconds doubling to an hour: about a day. */
    public static final RetryPolicy STANDARD =
            new RetryPolicy(30, Backoff.exponential(Duration.ofSeconds(2), Duration.ofHours(1)));

    /**
     * Checks the count.
     *
     * @throws IllegalArgumentException if it is negative
     */
    public RetryPolicy {
        Objects.requireNonNull(backoff, "backoff");
        if (maxRetries < 0) {
            throw new IllegalArgumentException("maxRetries " + maxRetries + " is negative");
        }
    }
}
