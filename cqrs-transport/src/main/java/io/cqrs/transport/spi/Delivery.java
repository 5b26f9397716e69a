package io.cqrs.transport.spi;

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
        byte[] body) {}
