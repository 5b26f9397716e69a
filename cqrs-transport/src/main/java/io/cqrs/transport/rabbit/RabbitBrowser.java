package io.cqrs.transport.rabbit;

import com.rabbitmq.client.AlreadyClosedException;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.GetResponse;
import io.cqrs.core.TransportException;
import io.cqrs.transport.spi.Browser;
import io.cqrs.transport.spi.Delivery;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Gets messages one by one without acknowledging them; the broker puts them back in order. */
final class RabbitBrowser implements Browser {

    private static final Logger LOG = LoggerFactory.getLogger(RabbitBrowser.class);

    /**
     * How many removals a quorum queue is told of before its word is awaited: from the 32nd unanswered one on its
     * client within the broker keeps them back, and a closed channel takes those with it (rabbit_fifo_client).
     */
    private static final int UNANSWERED = 16;

    private final Channel channel;
    private final String queue;
    private final long size;
    private final Deque<GetResponse> ahead = new ArrayDeque<>();
    private int unanswered;

    RabbitBrowser(Channel channel, String queue) {
        this.channel = channel;
        this.queue = queue;
        try {
            // A declaration's count may lag behind: this one is the queue's own.
            GetResponse first = get();
            this.size = first == null ? 0 : first.getMessageCount() + 1L;
            if (first != null) {
                ahead.add(first);
            }
        } catch (IOException | AlreadyClosedException e) {
            close();
            throw TransportException.refused("queue " + queue + " does not exist, or can't be read", e);
        }
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public @Nullable Delivery next() {
        try {
            GetResponse got = ahead.isEmpty() ? get() : ahead.poll();
            return got == null ? null : Deliveries.of(got.getEnvelope(), got.getProps(), got.getBody());
        } catch (IOException | AlreadyClosedException e) {
            throw TransportException.lost("the channel on queue " + queue + " was lost", e);
        }
    }

    @Override
    public void remove(Delivery delivery) {
        try {
            channel.basicAck(delivery.tag(), false);
            if (++unanswered == UNANSWERED) {
                GetResponse next = get();
                if (next != null) {
                    ahead.add(next);
                }
            }
        } catch (IOException | AlreadyClosedException e) {
            throw TransportException.lost("the channel on queue " + queue + " was lost", e);
        }
    }

    /** Goes through the queue as all before it did, so its answer is theirs too. */
    private @Nullable GetResponse get() throws IOException {
        GetResponse got = channel.basicGet(queue, false);
        unanswered = 0;
        return got;
    }

    /** Gives back by its own word: what a closed channel held comes back a while later. */
    @Override
    public void close() {
        try {
            channel.basicNack(0, true, true);
        } catch (IOException | AlreadyClosedException e) {
            LOG.debug("the channel on queue {} was gone already", queue, e);
        }
        RabbitTransport.abort(channel);
    }
}
