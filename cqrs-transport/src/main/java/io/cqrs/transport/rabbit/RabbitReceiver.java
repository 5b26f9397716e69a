package io.cqrs.transport.rabbit;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.AlreadyClosedException;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.ShutdownSignalException;
import io.cqrs.core.TransportException;
import io.cqrs.transport.spi.Delivery;
import io.cqrs.transport.spi.Receiver;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Consumes one queue; the connection's thread fills a buffer that a count and a number of bytes bound.
 *
 * <p>AMQP bounds what a broker hands over ahead by a count only. So that a run of large messages can't fill the memory, what
 * comes once the buffer holds its bytes is let go unread. When the rest is acknowledged the channel is closed, so that it
 * comes again, on another one under a prefetch that suits the sizes seen lately. A channel of its own, since a consumer that
 * is cancelled may lose deliveries on their way, which the next acknowledgement of many would cover.
 */
final class RabbitReceiver implements Receiver {

    /** Put into the buffer by a lost channel, so that a waiting owner learns of it at once. */
    private static final Delivery END = new Delivery(-1, null, null, "", Map.of(), new byte[0]);
    /** A new size counts as much as so many old ones together. */
    private static final int MEMORY = 16;
    /** How many times as many messages must fit before it is worth a new channel. */
    private static final int GROWTH = 4;

    private final Connection connection;
    private final String queue;
    private final int mostPrefetch;
    private final long mostBytes;
    private int prefetch;
    private Channel channel;
    private Buffering buffering;
    private long received;
    private long acknowledged;
    private @Nullable Delivery ahead;

    RabbitReceiver(Connection connection, String queue, int prefetch, long mostBytes) {
        this.connection = connection;
        this.queue = queue;
        this.mostPrefetch = prefetch;
        this.mostBytes = mostBytes;
        this.prefetch = prefetch;
        this.channel = RabbitTransport.openChannel(connection);
        this.buffering = consume(0);
    }

    @Override
    public List<Delivery> receive(int maxCount, long maxBytes, Duration wait) throws InterruptedException {
        adjust();
        List<Delivery> batch = new ArrayList<>();
        long held = 0;
        long bytes = 0;
        int changes = 0;
        Delivery next = ahead != null ? ahead : buffering.buffer.poll(wait.toNanos(), TimeUnit.NANOSECONDS);
        ahead = null;
        while (next != null && next != END) {
            batch.add(next);
            held += next.body().length;
            bytes += next.size();
            changes += next.changes();
            received = next.tag();
            if (changes >= maxCount || bytes >= maxBytes) {
                break;
            }
            next = buffering.buffer.poll();
        }
        long unused = buffering.bytes.addAndGet(-held);
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
            acknowledged = delivery.tag();
        } catch (IOException | AlreadyClosedException e) {
            throw TransportException.lost("the channel on queue " + queue + " was lost", e);
        }
    }

    @Override
    public void close() {
        RabbitTransport.abort(channel);
    }

    /** Asks for as many messages as the bytes allow, by the sizes seen lately, where that is far from what it asks for. */
    private void adjust() {
        boolean drained = acknowledged == received && ahead == null && buffering.buffer.isEmpty();
        long fitting = Math.max(1, Math.min(mostPrefetch, mostBytes / Math.max(1, buffering.usualSize)));
        if (drained && (buffering.overflown || fitting >= (long) GROWTH * prefetch)) {
            RabbitTransport.abort(channel);
            channel = RabbitTransport.openChannel(connection);
            prefetch = (int) fitting;
            received = 0;
            acknowledged = 0;
            buffering = consume(buffering.usualSize);
        }
    }

    private Buffering consume(long usualSize) {
        Buffering fresh = new Buffering(channel, usualSize);
        try {
            channel.basicQos(prefetch);
            String unused = channel.basicConsume(queue, false, fresh);
            return fresh;
        } catch (IOException | RuntimeException e) {
            close();
            throw TransportException.lost("queue " + queue + " can't be consumed: " + e.getMessage(), e);
        }
    }

    private final class Buffering extends DefaultConsumer {

        private final BlockingQueue<Delivery> buffer = new LinkedBlockingQueue<>();
        private final AtomicLong bytes = new AtomicLong();
        private volatile boolean overflown;
        private volatile long usualSize;

        Buffering(Channel channel, long usualSize) {
            super(channel);
            this.usualSize = usualSize;
        }

        @Override
        public void handleDelivery(String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] body) {
            long usual = usualSize;
            usualSize = usual == 0 ? body.length : (usual * (MEMORY - 1) + body.length) / MEMORY;
            if (overflown || bytes.get() >= mostBytes) {
                overflown = true;
                return;
            }
            long unused = bytes.addAndGet(body.length);
            buffer.add(Deliveries.of(envelope, properties, body));
        }

        @Override
        public void handleCancel(String tag) {
            buffer.add(END);
        }

        @Override
        public void handleShutdownSignal(String tag, ShutdownSignalException signal) {
            buffer.add(END);
        }
    }
}
