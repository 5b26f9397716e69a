package io.cqrs.transport;

import io.cqrs.core.Change;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A change on its way: what {@link MessageCodec} writes and reads. Immutable.
 *
 * @param change what happened
 * @param retries how many attempts to apply it failed so far, 0 or more
 * @param expires when it is no longer worth applying, or null for never
 */
public record Message(Change change, int retries, @Nullable Instant expires) {

    /**
     * Checks the count.
     *
     * @throws IllegalArgumentException if {@code retries} is negative
     */
    public Message {
        Objects.requireNonNull(change, "change");
        if (retries < 0) {
            throw new IllegalArgumentException("retries " + retries + " is negative");
        }
    }

    /** Returns a first attempt that never expires. */
    public static Message of(Change change) {
        return new Message(change, 0, null);
    }

    /** Returns the message for the next attempt. */
    public Message afterFailure() {
        return new Message(change, retries + 1, expires);
    }

    /** Says whether the message is no longer worth applying at this time. */
    public boolean isExpiredAt(Instant now) {
        return expires != null && !now.isBefore(expires);
    }
}
