package io.cqrs.transport.rabbit;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.AlreadyClosedException;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.ShutdownSignalException;
import io.cqrs.core.TransportException;
import io.cqrs.transport.spi.Delivery;
import io.cqrs.transport.spi.Receiver;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Consumes one queue on one channel; the connection's thread fills a buffer that the prefetch bounds. */
final class RabbitReceiver implements Receiver {

    /** Put into the buffer by a lost channel, so that a waiting owner learns of it at once. */
    private static final Delivery END = new Delivery(-1, null, null, "", Map.of(), new byte[0]);

    private final Channel channel;
    private final String queue;
    private final BlockingQueue<Delivery> buffer = new LinkedBlockingQueue<>();
    private @Nullable Delivery ahead;

    RabbitReceiver(Channel channel, String queue, int prefetch) {
        this.channel = channel;
        this.queue = queue;
        try {
            channel.basicQos(prefetch);
            String unused = channel.basicConsume(queue, false, new Buffering(channel));
        } catch (IOException | RuntimeException e) {
            close();
            throw TransportException.lost("queue " + queue + " can't be consumed: " + e.getMessage(), e);
        }
    }

    @Override
    public List<Delivery> receive(int maxCount, long maxBytes, Duration wait) throws InterruptedException {
        List<Delivery> batch = new ArrayList<>();
        long bytes = 0;
        Delivery next = ahead != null ? ahead : buffer.poll(wait.toNanos(), TimeUnit.NANOSECONDS);
        ahead = null;
        while (next != null && next != END) {
            batch.add(next);
            bytes += next.body().length;
            if (batch.size() >= maxCount || bytes >= maxBytes) {
                return batch;
            }
            next = buffer.poll();
        }
        if (next == END) {
            if (batch.isEmpty()) {
                throw TransportException.lost("the channel on queue " + queue + " was lost", null);
            }
            ahead = END;
        }
        return batch;
    }

    @Override
    public void acknowledgeUpTo(Delivery delivery) {
        try {
            channel.basicAck(delivery.tag(), true);
        } catch (IOException | AlreadyClosedException e) {
            throw TransportException.lost("the channel on queue " + queue + " was lost", e);
        }
    }

    @Override
    public void close() {
        RabbitTransport.abort(channel);
    }

    private final class Buffering extends DefaultConsumer {

        Buffering(Channel channel) {
            super(channel);
        }

        @Override
        public void handleDelivery(String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] body) {
            buffer.add(new Delivery(
                    envelope.getDeliveryTag(),
                    properties.getMessageId(),
                    properties.getContentType(),
                    envelope.getRoutingKey(),
                    plainHeaders(properties.getHeaders()),
                    body));
        }

        @Override
        public void handleCancel(String tag) {
            buffer.add(END);
        }

        @Override
        public void handleShutdownSignal(String tag, ShutdownSignalException signal) {
            buffer.add(END);
        }

        /** Text comes as the client's LongString; nested tables (x-death) are the broker's own and stay out. */
        private static Map<String, Object> plainHeaders(@Nullable Map<String, Object> headers) {
            if (headers == null || headers.isEmpty()) {
                return Map.of();
            }
            Map<String, Object> plain = new HashMap<>();
            headers.forEach((name, value) -> {
                if (value instanceof Number || value instanceof Boolean) {
                    plain.put(name, value);
                } else if (value != null && !(value instanceof List) && !(value instanceof Map)) {
                    plain.put(name, value.toString());
                }
            });
            return plain;
        }
    }
}
