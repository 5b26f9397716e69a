package io.cqrs.master;

/** Is told what the relay does. Called by its thread: quick, not throwing. */
public interface RelayListener {

    /** The relay became the active one, or no longer is. */
    default void leading(boolean active) {}

    /** So many changes are confirmed by the broker and gone from the outbox. */
    default void published(int count) {}

    /** The changes of a routing key wait: no queue is bound for it, or the broker refuses them. */
    default void held(String routingKey) {}

    /** So many unroutable changes were deleted, under {@link UnroutablePolicy#DROP}. */
    default void dropped(int count) {}
}
