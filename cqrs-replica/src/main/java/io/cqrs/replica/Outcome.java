package io.cqrs.replica;

/** How a change ended at the replica. */
public enum Outcome {
    /** It is in the replica. */
    APPLIED,
    /** It is in the replica; revisions before it never came, or are still on their way. */
    APPLIED_AFTER_GAP,
    /** The replica had exactly this state. */
    DUPLICATE,
    /** The replica had a later state, or the entity was deleted later. */
    STALE,
    /** There is no row, and the change is older than the oldest delete still remembered: only a sync can tell. */
    NEEDS_SYNC,
    /** It is a sync to all replicas, which this model skips. */
    SKIPPED,
    /** It can't be applied, ever: it went to the dead letters. */
    REJECTED
}
