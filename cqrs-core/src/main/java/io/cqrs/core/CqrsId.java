package io.cqrs.core;

import java.util.Objects;

/**
 * Names a replicated model, the same in all services, as in {@code product}.
 *
 * <p>It becomes part of AMQP routing keys, so it has 1 to 100 characters out of letters, digits, {@code _}, {@code -}
 * and {@code .}. Immutable.
 *
 * @param value the id as it stands on the wire
 */
public record CqrsId(String value) implements Comparable<CqrsId> {

    private static final int LONGEST = 100;
    private static final String RESERVED = "batch.";

    /**
     * Checks the id.
     *
     * @throws IllegalArgumentException if it is empty, longer than 100 characters, holds another character or begins with
     *     {@code batch.}, as the routing keys of batches do
     */
    public CqrsId {
        Objects.requireNonNull(value, "value");
        if (!isAllowed(value)) {
            throw new IllegalArgumentException("cqrs id \"" + value
                    + "\" is not allowed: use 1 to 100 letters, digits, '_', '-' or '.', as in \"product\", and do not"
                    + " begin it with \"batch.\"");
        }
    }

    /** By hand: each message brings one. */
    private static boolean isAllowed(String value) {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            boolean letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
            if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '-' && c != '.') {
                return false;
            }
        }
        return !value.isEmpty() && value.length() <= LONGEST && !value.startsWith(RESERVED);
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
