package io.cqrs.core;

import java.util.Objects;
import java.util.regex.Pattern;

/**
 * Names a replicated model, the same in all services, as in {@code product}.
 *
 * <p>It becomes part of AMQP routing keys, so it has 1 to 100 characters out of letters, digits, {@code _}, {@code -}
 * and {@code .}. Immutable.
 *
 * @param value the id as it stands on the wire
 */
public record CqrsId(String value) implements Comparable<CqrsId> {

    private static final Pattern ALLOWED = Pattern.compile("[A-Za-z0-9_.-]{1,100}");

    /**
     * Checks the id.
     *
     * @throws IllegalArgumentException if it is empty, longer than 100 characters or holds another character
     */
    public CqrsId {
        Objects.requireNonNull(value, "value");
        if (!ALLOWED.matcher(value).matches()) {
            throw new IllegalArgumentException("cqrs id \"" + value
                    + "\" is not allowed: use 1 to 100 letters, digits, '_', '-' or '.', as in \"product\"");
        }
    }

    /**
     * Returns the id with this value.
     *
     * @throws IllegalArgumentException if it is not allowed
     */
    public static CqrsId of(String value) {
        return new CqrsId(value);
    }

    @Override
    public int compareTo(CqrsId other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }
}
