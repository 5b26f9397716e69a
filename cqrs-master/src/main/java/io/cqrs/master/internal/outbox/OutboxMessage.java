package io.cqrs.master.internal.outbox;

import io.cqrs.transport.Message;
import java.util.Map;

/**
 * A finished message for the outbox.
 *
 * @param message what is sent
 * @param routingKey where to
 * @param headers what travels beside it: text, numbers and flags by name
 */
public record OutboxMessage(Message message, String routingKey, Map<String, ?> headers) {

    /** Says whether another message differs in nothing but its entity. */
    boolean goesWith(OutboxMessage other) {
        return message.change()
                        .key()
                        .cqrsId()
                        .equals(other.message.change().key().cqrsId())
                && routingKey.equals(other.routingKey)
                && headers.equals(other.headers);
    }
}
