package io.cqrs.master;

/** What the relay does with changes that no replica's queue is bound for. */
public enum UnroutablePolicy {
    /** They wait in the outbox until a queue is bound: nothing is lost. */
    HOLD,
    /** They are deleted: replicas that come later start from a dump or a sync. */
    DROP
}
