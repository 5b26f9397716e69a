package io.cqrs.transport.rabbit;

import com.rabbitmq.client.ShutdownSignalException;
import io.cqrs.transport.Headers;
import io.cqrs.transport.spi.Destination;
import io.cqrs.transport.spi.OutgoingMessage;
import io.cqrs.transport.spi.PublishOutcome;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collections;
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
    /** What a frame needs beside what is reckoned here: its ends, and an expiration. */
    private static final int FRAME_ENDS = 64;
    /** RabbitMQ's words as it closes the channel (rabbit_channel, {@code check_msg_size}). */
    private static final Pattern TOO_LARGE =
            Pattern.compile("message size \\d+ (?:is )?larger than (?:configured )?max size (\\d+)");

    /** What a broker told may have been raised since: then it is asked again, by a message that it may refuse. */
    private static final Duration REMEMBERED = Duration.ofMinutes(10);

    /** The broker tells its {@code max_message_size} only when it is passed. */
    private volatile Told told = new Told(Long.MAX_VALUE, System.nanoTime());

    /** Takes note of the size that the broker told as it closed a channel, if it did. */
    void learn(ShutdownSignalException cause) {
        Matcher size = TOO_LARGE.matcher(String.valueOf(cause.getMessage()));
        if (size.find()) {
            told = new Told(Long.parseLong(size.group(1)), System.nanoTime());
        }
    }

    /**
     * Returns those of the messages that can't be sent, by their place.
     *
     * @param frameMax of the connection; all that travels beside the body is one frame. 0 for any
     */
    Map<Integer, PublishOutcome> unsendable(List<OutgoingMessage> messages, int frameMax) {
        Map<Integer, PublishOutcome> unsendable = new HashMap<>();
        for (int i = 0; i < messages.size(); i++) {
            @Nullable String reason = reason(messages.get(i), frameMax);
            if (reason != null) {
                unsendable.put(i, new PublishOutcome.Unsendable(reason));
            }
        }
        return unsendable;
    }

    private @Nullable String reason(OutgoingMessage message, int frameMax) {
        Told most = told;
        if (message.body().length > most.bytes() && System.nanoTime() - most.at() < REMEMBERED.toNanos()) {
            return "it has " + message.body().length + " bytes, more than the broker's max_message_size of "
                    + most.bytes();
        }
        String routingKey = routingKey(message.destination());
        // No character takes more than three bytes of UTF-8 for each char.
        if (routingKey.length() > MOST_ROUTING_KEY / 3
                && routingKey.getBytes(StandardCharsets.UTF_8).length > MOST_ROUTING_KEY) {
            return "its routing key has more than " + MOST_ROUTING_KEY + " bytes";
        }
        return message.headers().isEmpty() ? null : headersReason(message, frameMax);
    }

    private static @Nullable String headersReason(OutgoingMessage message, int frameMax) {
        if (!Collections.disjoint(message.headers().keySet(), Headers.ROUTING)) {
            return "it has a header CC or BCC, by which the broker would send it elsewhere, too";
        }
        try {
            int size = RabbitPublisher.properties(message).build().toFrame(1, 0).size();
            return frameMax > 0 && size > frameMax - FRAME_ENDS
                    ? "its headers have " + size + " bytes, more than AMQP's frames"
                    : null;
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

    private record Told(long bytes, long at) {}
}
