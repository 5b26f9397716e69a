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
 * Consumes queues over one channel; the connection's thread fills a buffer that numbers of changes and of bytes bound. Nothing
 * here may block that thread, nor ask the broker on it: it reads the answers, too.
 *
 * <p>AMQP bounds what a broker hands over ahead by a count of messages only. So that a run of large ones can't fill the
 * memory, nor keep a batch's thousands of changes from other workers, what comes once the buffer is full is let go unread.
 * When the rest is acknowledged the channel is closed, so that it comes again, on another one under a prefetch that suits what
 * was seen lately. A channel of its own, since a consumer that is cancelled may lose deliveries on their way, which the next
 * acknowledgement of many would cover.
 */
final class RabbitReceiver implements Receiver {

    /** Put into the buffer by a lost channel, so that a waiting owner learns of it at once. */
    private static final Delivery END = new Delivery(-1, null, null, "", Map.of(), new byte[0]);
    /** A new size counts as much as so many old ones together. */
    private static final int MEMORY = 16;
    /** How many times as many messages must fit before it is worth a new channel. */
    private static final int GROWTH = 4;

    private final Connection connection;
    private final List<String> queues;
    private final int mostChanges;
    private final long mostBytes;
    private int prefetch;
    private Channel channel;
    private Buffering buffering;
    private long received;
    private long acknowledged;
    private @Nullable Delivery ahead;

    RabbitReceiver(Connection connection, List<String> queues, int mostChanges, long mostBytes) {
        this.connection = connection;
        this.queues = queues;
        this.mostChanges = Math.max(mostChanges, queues.size());
        this.mostBytes = mostBytes;
        this.prefetch = this.mostChanges;
        this.channel = RabbitTransport.openChannel(connection);
        this.buffering = consume(0, 0);
    }

    @Override
    public List<Delivery> receive(int maxCount, long maxBytes, Duration wait) throws InterruptedException {
        requireWhole();
        adjust();
        List<Delivery> batch = new ArrayList<>();
        long held = 0;
        long bytes = 0;
        long changes = 0;
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
        buffering.taken(changes, held);
        if (next == END) {
            if (batch.isEmpty()) {
                throw lost(null);
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
            throw lost(e);
        }
    }

    @Override
    public void close() {
        RabbitTransport.abort(channel);
    }

    /** Behind a delivery that could not be taken nothing may be acknowledged; a channel that is closed may not have told. */
    private void requireWhole() {
        if (ahead != null || !buffering.buffer.isEmpty()) {
            return;
        }
        @Nullable Throwable failure = buffering.failure;
        if (failure != null) {
            throw TransportException.lost("a delivery of " + named() + " could not be taken: " + failure, failure);
        }
        if (!channel.isOpen()) {
            throw lost(null);
        }
    }

    private TransportException lost(@Nullable Throwable cause) {
        return TransportException.lost("the channel on " + named() + " was lost", cause);
    }

    private String named() {
        return (queues.size() == 1 ? "queue " : "queues ") + String.join(", ", queues);
    }

    /** Asks for as many messages as fit, by those seen lately, where that is far from what it asks for. */
    private void adjust() {
        boolean drained = acknowledged == received && ahead == null && buffering.buffer.isEmpty();
        double fitting = Math.min(
                mostChanges / Math.max(1, buffering.usualChanges), mostBytes / Math.max(1, buffering.usualSize));
        if (drained && (buffering.overflown || fitting >= (double) GROWTH * prefetch)) {
            RabbitTransport.abort(channel);
            channel = RabbitTransport.openChannel(connection);
            prefetch = (int) Math.max(queues.size(), fitting);
            received = 0;
            acknowledged = 0;
            buffering = consume(buffering.usualChanges, buffering.usualSize);
        }
    }

    private Buffering consume(double usualChanges, double usualSize) {
        Buffering fresh = new Buffering(channel, usualChanges, usualSize);
        String opening = named();
        try {
            channel.basicQos(prefetch / queues.size());
            for (String queue : queues) {
                opening = "queue " + queue;
                String unused = channel.basicConsume(queue, false, fresh);
            }
            return fresh;
        } catch (IOException | RuntimeException e) {
            close();
            throw TransportException.lost(opening + " can't be consumed: " + e.getMessage(), e);
        }
    }

    private final class Buffering extends DefaultConsumer {

        private final BlockingQueue<Delivery> buffer = new LinkedBlockingQueue<>();
        private final AtomicLong changes = new AtomicLong();
        private final AtomicLong bytes = new AtomicLong();
        private volatile boolean overflown;
        private volatile @Nullable Throwable failure;
        private volatile double usualChanges;
        private volatile double usualSize;

        Buffering(Channel channel, double usualChanges, double usualSize) {
            super(channel);
            this.usualChanges = usualChanges;
            this.usualSize = usualSize;
        }

        void taken(long changesTaken, long bytesTaken) {
            long unused = changes.addAndGet(-changesTaken) + bytes.addAndGet(-bytesTaken);
        }

        @Override
        public void handleDelivery(String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] body) {
            try {
                take(envelope, properties, body);
            } catch (RuntimeException | Error e) {
                // The client would close the channel here, and wait for an answer that only this thread reads.
                overflown = true;
                failure = e;
            }
        }

        private void take(Envelope envelope, AMQP.BasicProperties properties, byte[] body) {
            Delivery delivery = Deliveries.of(envelope, properties, body);
            usualChanges = usual(usualChanges, delivery.changes());
            usualSize = usual(usualSize, body.length);
            boolean full = changes.get() >= mostChanges || bytes.get() >= mostBytes;
            // One a queue is the least that can be asked for: it is taken, or it would be let go each time.
            if (overflown || (full && buffer.size() >= queues.size())) {
                overflown = true;
                return;
            }
            long unused = changes.addAndGet(delivery.changes()) + bytes.addAndGet(body.length);
            buffer.add(delivery);
        }

        private static double usual(double before, double now) {
            return before == 0 ? now : (before * (MEMORY - 1) + now) / MEMORY;
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
