package io.cqrs.transport.spi;

import io.cqrs.transport.Headers;
import io.cqrs.transport.MessageBatch;
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

    /** Returns how many changes it holds, as its publisher says: 1 but for batches, the most there may be where he does not. */
    public int changes() {
        if (headers.get(Headers.CHANGES) instanceof Number count && count.longValue() > 0) {
            return (int) Math.min(count.longValue(), MessageBatch.MOST_CHANGES);
        }
        return MessageBatch.isBatch(contentType) ? MessageBatch.MOST_CHANGES : 1;
    }

    /** Returns how many bytes of memory it takes, about: its body's, or more where its publisher says that it is packed. */
    public long size() {
        return headers.get(Headers.BYTES) instanceof Number bytes
                ? Math.max(bytes.longValue(), body.length)
                : body.length;
    }
}
