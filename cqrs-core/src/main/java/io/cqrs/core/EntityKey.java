package io.cqrs.core;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Identifies one entity across services: its model and its primary key.
 *
 * <p>The key value is what JSON can hold: a {@code String}, {@code Long}, {@code BigInteger}, {@code BigDecimal} or
 * {@code Boolean}, or for a composite key the list of its parts in declared order. Immutable.
 *
 * @param cqrsId the model
 * @param value the primary key
 */
public record EntityKey(CqrsId cqrsId, Object value) {

    private static final int LONGEST_IN_LOGS = 200;

    /**
     * Checks the key and copies the parts of a composite one.
     *
     * @throws IllegalArgumentException if the value is of no key type, or an empty list
     */
    public EntityKey {
        Objects.requireNonNull(cqrsId, "cqrsId");
        Objects.requireNonNull(value, "value");
        if (value instanceof List<?> parts) {
            if (parts.isEmpty()) {
                throw new IllegalArgumentException("the key of " + cqrsId + " has no parts");
            }
            parts.forEach(part -> requireScalar(cqrsId, part));
            value = List.copyOf(parts);
        } else {
            requireScalar(cqrsId, value);
        }
    }

    /**
     * Returns the key of this model and value.
     *
     * @throws IllegalArgumentException if the value is of no key type
     */
    public static EntityKey of(CqrsId cqrsId, Object value) {
        return new EntityKey(cqrsId, value);
    }

    /** Returns the key's parts in declared order; a single one for a plain key. */
    public List<?> parts() {
        return value instanceof List<?> parts ? parts : List.of(value);
    }

    /** Returns the key as text, the same for equal keys: {@code 42}, or {@code [7, "b"]} for a composite one. */
    public String text() {
        if (value instanceof List<?> parts) {
            return parts.stream().map(EntityKey::partText).collect(Collectors.joining(", ", "[", "]"));
        }
        return value.toString();
    }

    /** Returns model and key for a log: one line, whatever a message's key has in it, and cut where it is long. */
    @Override
    public String toString() {
        String text = text();
        StringBuilder line = new StringBuilder(cqrsId.value()).append(' ');
        for (int i = 0; i < Math.min(text.length(), LONGEST_IN_LOGS); i++) {
            char c = text.charAt(i);
            line.append(Character.isISOControl(c) ? ' ' : c);
        }
        return text.length() <= LONGEST_IN_LOGS
                ? line.toString()
                : line.append("...").toString();
    }

    /** Quoted, so that no part can look like two. */
    private static String partText(Object part) {
        return part instanceof String text
                ? '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"'
                : part.toString();
    }

    private static void requireScalar(CqrsId cqrsId, @Nullable Object part) {
        boolean scalar = part instanceof String
                || part instanceof Long
                || part instanceof BigInteger
                || part instanceof BigDecimal
                || part instanceof Boolean;
        if (!scalar) {
            throw new IllegalArgumentException("the key of " + cqrsId + " is "
                    + (part == null ? "null" : "a " + part.getClass().getSimpleName())
                    + ", which no primary key can be on the wire");
        }
    }
}
