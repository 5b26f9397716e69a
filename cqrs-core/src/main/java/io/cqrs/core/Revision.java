package io.cqrs.core;

/**
 * Counts the commits of one entity: 0 at its creation, one or more added by each later commit.
 *
 * <p>It starts again at 0 when a key is used again after a delete; {@link Stamp} orders across such lives. Immutable.
 *
 * @param value the count, 0 or more
 */
public record Revision(long value) implements Comparable<Revision> {

    /** The revision of a newly created entity. */
    public static final Revision FIRST = new Revision(0);

    /**
     * Checks the count.
     *
     * @throws IllegalArgumentException if it is negative
     */
    public Revision {
        if (value < 0) {
            throw new IllegalArgumentException("revision " + value + " is negative");
        }
    }

    /** Returns the revision one commit later. */
    public Revision next() {
        return new Revision(value + 1);
    }

    @Override
    public int compareTo(Revision other) {
        return Long.compare(value, other.value);
    }

    @Override
    public String toString() {
        return Long.toString(value);
    }
}
