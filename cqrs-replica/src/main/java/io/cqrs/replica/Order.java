package io.cqrs.replica;

/** What decides which of two states of an entity is the newer one. */
public enum Order {
    /** {@code cqrs_updated}, then {@code cqrs_revision}: for masters of this framework, whose times strictly increase. */
    UPDATED,
    /**
     * {@code cqrs_revision} alone, and a SYNC whatever its revision: django-cqrs's own rule, for masters that are Django
     * services. It can't tell a late state of an earlier life of a key from a new one.
     */
    REVISION
}
