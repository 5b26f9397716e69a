package io.cqrs.replica;

import java.time.Instant;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Says which dead letters are meant: those that fulfil every condition. Immutable.
 *
 * @param cqrsId the model, or null for all
 * @param key the key as text, or null for all
 * @param error a part of the error's class or message, whatever its case, or null for all
 * @param since those that failed last at this time or later, or null for all
 * @param limit at most so many, from the head of the queue
 */
public record DeadLetterFilter(
        @Nullable String cqrsId,
        @Nullable String key,
        @Nullable String error,
        @Nullable Instant since,
        long limit) {

    /** All of them. */
    public static final DeadLetterFilter ALL = new DeadLetterFilter(null, null, null, null, Long.MAX_VALUE);

    /**
     * Checks the limit.
     *
     * @throws IllegalArgumentException if it is below 1
     */
    public DeadLetterFilter {
        if (limit < 1) {
            throw new IllegalArgumentException("limit " + limit + " is below 1");
        }
    }

    /** Returns the same with another limit. */
    public DeadLetterFilter withLimit(long most) {
        return new DeadLetterFilter(cqrsId, key, error, since, most);
    }

    /** Says whether a letter fulfils the conditions. */
    public boolean matches(DeadLetter letter) {
        Instant last = letter.lastFailure();
        return (cqrsId == null || cqrsId.equals(letter.cqrsId()))
                && (key == null || key.equals(letter.key()))
                && (error == null || contains(letter.errorClass()) || contains(letter.error()))
                && (since == null || (last != null && !last.isBefore(since)));
    }

    private boolean contains(@Nullable String text) {
        String part = Objects.requireNonNull(error, "error").toLowerCase(Locale.ROOT);
        return text != null && text.toLowerCase(Locale.ROOT).contains(part);
    }
}
