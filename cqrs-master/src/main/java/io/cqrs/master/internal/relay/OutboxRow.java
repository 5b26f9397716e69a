package io.cqrs.master.internal.relay;

import io.cqrs.core.SerializationException;
import io.cqrs.transport.JsonText;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A row of the outbox.
 *
 * @param id its number; those of one entity are in the order of its commits
 * @param routingKey where it goes
 * @param body the finished message
 * @param headers what travels beside it, as a JSON object, or null
 * @param toAll whether it goes to all replicas of its model
 */
record OutboxRow(
        long id, String routingKey, byte[] body, @Nullable String headers, boolean toAll) {

    /** Returns the headers by name. */
    @SuppressWarnings("unchecked") // a JSON object
    Map<String, Object> headerMap() {
        try {
            if (headers == null || !(JsonText.read(headers) instanceof Map<?, ?> map)) {
                return Map.of();
            }
            Map<String, Object> known = new HashMap<>((Map<String, Object>) map);
            known.values().removeIf(Objects::isNull);
            return known;
        } catch (SerializationException e) {
            // Whatever stands there, it must not hold up the outbox.
            return Map.of();
        }
    }
}
