package io.cqrs.core;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.Objects;

/**
 * Orders the states of one entity: the later stamp wins, everywhere.
 *
 * <p>Last writer wins by ({@code cqrs_updated}, {@code cqrs_revision}), compared in that order. The master makes
 * {@code updated} strictly increase for a key over all its lives, so a state before a delete never beats one after it.
 * Microseconds, truncated as PostgreSQL stores them. Immutable.
 *
 * @param updated the master database's time of the change
 * @param revision the entity's revision
 */
public record Stamp(Instant updated, Revision revision) implements Comparable<Stamp> {

    private static final Comparator<Stamp> ORDER =
            Comparator.comparing(Stamp::updated).thenComparing(Stamp::revision);

    /** Truncates the time to microseconds. */
    public Stamp {
        updated = Objects.requireNonNull(updated, "updated").truncatedTo(ChronoUnit.MICROS);
        Objects.requireNonNull(revision, "revision");
    }

    /**
     * Returns the stamp of this time and revision.
     *
     * @throws IllegalArgumentException if the revision is negative
     */
    public static Stamp of(Instant updated, long revision) {
        return new Stamp(updated, new Revision(revision));
    }

    @Override
    public int compareTo(Stamp other) {
        return ORDER.compare(this, other);
    }
}
