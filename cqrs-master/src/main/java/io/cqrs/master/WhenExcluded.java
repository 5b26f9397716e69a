package io.cqrs.master;

/** What happens to replicas of a row that stops being a {@link MasterMixin#isSyncInstance sync instance}. */
public enum WhenExcluded {

    /** Nothing is sent: replicas keep the last state they got, as with django-cqrs. */
    KEEP,

    /** A DELETE is sent; a later state that is a sync instance again creates the replicas anew. */
    DELETE
}
