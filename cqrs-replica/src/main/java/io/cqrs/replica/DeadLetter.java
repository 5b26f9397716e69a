package io.cqrs.replica;

import io.cqrs.core.SerializationException;
import io.cqrs.transport.Headers;
import io.cqrs.transport.Message;
import io.cqrs.transport.MessageCodec;
import io.cqrs.transport.spi.Delivery;
import java.time.DateTimeException;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A message that could not be applied, and why. What the broker or another system dead-lettered has no reason, only what
 * its body tells. Immutable as long as nobody changes the body.
 *
 * @param cqrsId the model, or null where it could not be told
 * @param key the key as text, or null where it could not be told
 * @param errorClass the class of the last error, or null
 * @param error what went wrong, or null
 * @param stack where it came from, a few lines, or null
 * @param attempts how many were made, 0 where unknown
 * @param firstFailure when the first one failed, or null
 * @param lastFailure when the last one failed, or null
 * @param sourceQueue the queue it was taken from, or null
 * @param body the bytes as they came
 */
public record DeadLetter(
        @Nullable String cqrsId,
        @Nullable String key,
        @Nullable String errorClass,
        @Nullable String error,
        @Nullable String stack,
        int attempts,
        @Nullable Instant firstFailure,
        @Nullable Instant lastFailure,
        @Nullable String sourceQueue,
        byte[] body) {

    private static final MessageCodec CODEC = new MessageCodec();

    static DeadLetter of(Delivery delivery) {
        String cqrsId = header(delivery, Headers.MODEL);
        String key = header(delivery, Headers.KEY);
        if (cqrsId == null || key == null) {
            Message message = message(delivery.body());
            if (message != null) {
                cqrsId = message.change().key().cqrsId().value();
                key = message.change().key().text();
            }
        }
        return new DeadLetter(
                cqrsId,
                key,
                header(delivery, Headers.ERROR_CLASS),
                header(delivery, Headers.ERROR_MESSAGE),
                header(delivery, Headers.ERROR_STACK),
                delivery.headers().get(Headers.ATTEMPTS) instanceof Number count ? count.intValue() : 0,
                time(header(delivery, Headers.FIRST_FAILURE)),
                time(header(delivery, Headers.LAST_FAILURE)),
                header(delivery, Headers.SOURCE_QUEUE),
                delivery.body());
    }

    /** Returns the message, or null where the bytes are none. */
    static @Nullable Message message(byte[] body) {
        try {
            return CODEC.decode(body);
        } catch (SerializationException e) {
            return null;
        }
    }

    private static @Nullable String header(Delivery delivery, String name) {
        Object value = delivery.headers().get(name);
        return value == null ? null : value.toString();
    }

    private static @Nullable Instant time(@Nullable String text) {
        try {
            return text == null ? null : Instant.parse(text);
        } catch (DateTimeException e) {
            return null;
        }
    }
}
