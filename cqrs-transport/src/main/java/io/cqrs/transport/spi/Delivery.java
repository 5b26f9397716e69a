package io.cqrs.transport.spi;

import io.cqrs.transport.Headers;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A message from a queue.
 *
 * @param tag its place among the receiver's deliveries
 * @param messageId as published, or null
 * @param contentType as published, or null
 * @param routingKey by which it came
 * @param headers text as {@code String}
 * @param body the bytes; not to be changed
 */
public record Delivery(
        long tag,
        @Nullable String messageId,
        @Nullable String contentType,
        String routingKey,
        Map<String, Object> headers,
        byte[] body) {

    /** Returns how many changes it holds, as its publisher says: 1 but for batches. */
    public int changes() {
        return headers.get(Headers.CHANGES) instanceof Integer count && count > 0 ? count : 1;
    }

    /** Returns how many bytes of memory it takes, about: its body's, or more where its publisher says that it is packed. */
    public long size() {
        return headers.get(Headers.BYTES) instanceof Integer bytes ? Math.max(bytes, body.length) : body.length;
    }
}
