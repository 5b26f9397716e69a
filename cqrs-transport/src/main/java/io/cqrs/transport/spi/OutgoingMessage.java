package io.cqrs.transport.spi;

import java.util.Map;
import java.util.Objects;

/**
 * A message to publish: persistent, and returned when no queue takes it. Immutable as long as nobody changes the body.
 *
 * @param destination where to
 * @param messageId tells messages of one publisher apart that wait for their confirms at the same time
 * @param contentType the body's media type
 * @param headers values are strings, numbers and booleans
 * @param body the bytes
 */
public record OutgoingMessage(
        Destination destination, String messageId, String contentType, Map<String, Object> headers, byte[] body) {

    /** The content type that django-cqrs gives its JSON. */
    public static final String SINGLE = "text/plain";

    /** Checks for nulls. */
    public OutgoingMessage {
        Objects.requireNonNull(destination, "destination");
        Objects.requireNonNull(messageId, "messageId");
        Objects.requireNonNull(contentType, "contentType");
        headers = Map.copyOf(headers);
        Objects.requireNonNull(body, "body");
    }
}
