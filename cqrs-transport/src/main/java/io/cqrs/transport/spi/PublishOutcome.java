package io.cqrs.transport.spi;

/** What became of a published message. */
public sealed interface PublishOutcome {

    /** The broker has it safe, in every queue bound for it. */
    PublishOutcome CONFIRMED = new Confirmed();

    /** The broker could not take it, for example because a queue is full: publish it again. */
    PublishOutcome REFUSED = new Refused();

    /** Says whether the broker took the message over. */
    default boolean isConfirmed() {
        return this == CONFIRMED;
    }

    /** See {@link #CONFIRMED}. */
    record Confirmed() implements PublishOutcome {}

    /** See {@link #REFUSED}. */
    record Refused() implements PublishOutcome {}

    /**
     * No queue is bound for it, so nobody got it.
     *
     * @param reason the broker's words
     */
    record Unroutable(String reason) implements PublishOutcome {}

    /**
     * It can't be sent as it is, now or later: nobody got it, and the messages beside it are not touched by it.
     *
     * @param reason what is wrong with it, without its data
     */
    record Unsendable(String reason) implements PublishOutcome {}
}
