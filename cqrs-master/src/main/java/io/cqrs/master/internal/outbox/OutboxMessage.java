package io.cqrs.master.internal.outbox;

import io.cqrs.core.EntityKey;
import java.util.Map;

/**
 * A finished message for the outbox.
 *
 * @param key whose message it is
 * @param body what is sent, as it is on the wire
 * @param routingKey where to
 * @param headers what travels beside it: text, numbers and flags by name
 */
public record OutboxMessage(EntityKey key, byte[] body, String routingKey, Map<String, ?> headers) {

    /** Says whether another message differs in nothing but its entity. */
    boolean goesWith(OutboxMessage other) {
        return key.cqrsId().equals(other.key.cqrsId())
                && routingKey.equals(other.routingKey)
                && headers.equals(other.headers);
    }
}
