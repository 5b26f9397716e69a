package io.cqrs.master;

import java.time.Duration;

/** Is told what the relay does. Called by its threads, one at a time: quick, not throwing. */
public interface RelayListener {

    /** The relay became the active one, or no longer is. */
    default void leading(boolean active) {}

    /** So many changes are confirmed by the broker and gone from the outbox. */
    default void published(int count) {}

    /**
     * Told every five seconds by the active relay.
     *
     * @param rows how many changes wait in the outbox; a million means a million or more
     * @param oldest how long the first of them has waited, zero where there is none
     */
    default void waiting(long rows, Duration oldest) {}

    /** The changes of a routing key wait: no queue is bound for it, or the broker refuses them. Told at each attempt. */
    default void held(String routingKey) {}

    /** The changes of a routing key no longer wait. */
    default void released(String routingKey) {}

    /** A message came back, since no queue is bound for its routing key. */
    default void returned(String routingKey) {}

    /** The broker refused a message (a negative confirm). */
    default void refused(String routingKey) {}

    /** So many unroutable changes were deleted, under {@link UnroutablePolicy#DROP}. */
    default void dropped(int count) {}
}
