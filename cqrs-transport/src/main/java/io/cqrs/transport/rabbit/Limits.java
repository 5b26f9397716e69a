package io.cqrs.transport.rabbit;

import com.rabbitmq.client.ShutdownSignalException;
import io.cqrs.transport.spi.Destination;
import io.cqrs.transport.spi.OutgoingMessage;
import io.cqrs.transport.spi.PublishOutcome;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What AMQP 0-9-1 and a broker can take: a message beyond it would close the channel or the connection, and all the others
 * on it would wait for ever. Thread-safe.
 */
final class Limits {

    /** A short string of AMQP. */
    private static final int MOST_ROUTING_KEY = 255;
    /** All that travels beside the body is one frame; RabbitMQ's frames have 128 KiB, and a smaller one none of ours. */
    private static final int MOST_PROPERTIES = (128 << 10) - 8;
    /** RabbitMQ's words as it closes the channel (rabbit_channel, {@code check_msg_size}). */
    private static final Pattern TOO_LARGE =
            Pattern.compile("message size \\d+ (?:is )?larger than (?:configured )?max size (\\d+)");

    /** The broker tells its {@code max_message_size} only when it is passed. */
    private volatile long mostBytes = Long.MAX_VALUE;

    /** Takes note of the size that the broker told as it closed a channel, if it did. */
    void learn(ShutdownSignalException cause) {
        Matcher told = TOO_LARGE.matcher(String.valueOf(cause.getMessage()));
        if (told.find()) {
            mostBytes = Long.parseLong(told.group(1));
        }
    }

    /** Returns those of the messages that can't be sent, by their place. */
    Map<Integer, PublishOutcome> unsendable(List<OutgoingMessage> messages) {
        Map<Integer, PublishOutcome> unsendable = new HashMap<>();
        for (int i = 0; i < messages.size(); i++) {
            @Nullable String reason = reason(messages.get(i));
            if (reason != null) {
                unsendable.put(i, new PublishOutcome.Unsendable(reason));
            }
        }
        return unsendable;
    }

    private @Nullable String reason(OutgoingMessage message) {
        if (message.body().length > mostBytes) {
            return "it has " + message.body().length + " bytes, more than the broker's max_message_size of "
                    + mostBytes;
        }
        String routingKey = routingKey(message.destination());
        // No character takes more than three bytes of UTF-8 for each char.
        if (routingKey.length() > MOST_ROUTING_KEY / 3
                && routingKey.getBytes(StandardCharsets.UTF_8).length > MOST_ROUTING_KEY) {
            return "its routing key has more than " + MOST_ROUTING_KEY + " bytes";
        }
        return message.headers().isEmpty() ? null : headersReason(message);
    }

    private static @Nullable String headersReason(OutgoingMessage message) {
        try {
            int size = RabbitPublisher.properties(message).build().toFrame(1, 0).size();
            return size > MOST_PROPERTIES ? "its headers have " + size + " bytes, more than AMQP's frames" : null;
        } catch (IOException | IllegalArgumentException e) {
            return "its headers have a name or a value that AMQP can't hold";
        }
    }

    private static String routingKey(Destination to) {
        if (to instanceof Destination.Exchange plain) {
            return plain.routingKey();
        }
        return to instanceof Destination.Delayed delayed ? delayed.routingKey() : ((Destination.Queue) to).name();
    }
}
