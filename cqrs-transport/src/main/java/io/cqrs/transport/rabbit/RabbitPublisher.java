package io.cqrs.transport.rabbit;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.AlreadyClosedException;
import com.rabbitmq.client.Channel;
import io.cqrs.core.TransportException;
import io.cqrs.core.lifecycle.Waiter;
import io.cqrs.transport.spi.Destination;
import io.cqrs.transport.spi.OutgoingMessage;
import io.cqrs.transport.spi.PublishOutcome;
import io.cqrs.transport.spi.Publisher;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Publishes on one channel with confirms; {@link Confirms} keeps the books. */
final class RabbitPublisher implements Publisher {

    private static final Duration HOLD_BACK_CHECK = Duration.ofMillis(50);
    private static final int PERSISTENT = 2;

    private final Channel channel;
    private final String exchange;
    private final Topology topology;
    private final ConnectionKeeper keeper;
    private final Confirms confirms;
    private final Limits limits;
    private final Map<Destination.Delayed, String> delays = new HashMap<>();

    RabbitPublisher(Channel channel, String exchange, Topology topology, ConnectionKeeper keeper) {
        this.channel = channel;
        this.exchange = exchange;
        this.topology = topology;
        this.keeper = keeper;
        this.confirms = new Confirms(channel, keeper);
        this.limits = keeper.limits();
        channel.addShutdownListener(limits::learn);
        try {
            AMQP.Confirm.SelectOk unused = channel.confirmSelect();
        } catch (IOException | RuntimeException e) {
            close();
            throw TransportException.lost("confirms could not be switched on: " + e.getMessage(), e);
        }
    }

    @Override
    public Publication send(List<OutgoingMessage> messages) throws InterruptedException {
        holdBack();
        Map<Integer, PublishOutcome> unsendable =
                limits.unsendable(messages, channel.getConnection().getFrameMax());
        if (unsendable.isEmpty()) {
            return sendAll(messages);
        }
        List<OutgoingMessage> others = new ArrayList<>();
        for (int i = 0; i < messages.size(); i++) {
            if (!unsendable.containsKey(i)) {
                others.add(messages.get(i));
            }
        }
        Publication sent = sendAll(others);
        return limit -> {
            Iterator<PublishOutcome> outcomes = sent.await(limit).iterator();
            List<PublishOutcome> all = new ArrayList<>();
            for (int i = 0; i < messages.size(); i++) {
                PublishOutcome known = unsendable.get(i);
                all.add(known == null ? outcomes.next() : known);
            }
            return all;
        };
    }

    private Publication sendAll(List<OutgoingMessage> messages) {
        Confirms.Batch batch = confirms.begin(channel.getNextPublishSeqNo(), messages);
        try {
            for (OutgoingMessage message : messages) {
                publish(message);
            }
        } catch (IOException | AlreadyClosedException e) {
            throw TransportException.lost("the channel was lost while publishing: " + e.getMessage(), e);
        }
        return batch;
    }

    @Override
    public void close() {
        RabbitTransport.abort(channel);
    }

    private void publish(OutgoingMessage message) throws IOException {
        Destination to = message.destination();
        if (to instanceof Destination.Exchange plain) {
            publish(exchange, plain.routingKey(), message, null);
        } else if (to instanceof Destination.Queue queue) {
            publish("", queue.name(), message, queue.timeToLive());
        } else if (to instanceof Destination.Delayed delayed) {
            Destination.Delayed step = new Destination.Delayed(delayed.queue(), delayed.delay(), "");
            publish(delays.computeIfAbsent(step, topology::declareDelay), delayed.routingKey(), message, null);
        }
    }

    private void publish(String toExchange, String routingKey, OutgoingMessage message, @Nullable Duration timeToLive)
            throws IOException {
        AMQP.BasicProperties properties = properties(message)
                .expiration(timeToLive == null ? null : Long.toString(timeToLive.toMillis()))
                .build();
        channel.basicPublish(toExchange, routingKey, true, properties, message.body());
    }

    /** Returns what travels beside a message. */
    static AMQP.BasicProperties.Builder properties(OutgoingMessage message) {
        return new AMQP.BasicProperties.Builder()
                .contentType(message.contentType())
                .deliveryMode(PERSISTENT)
                .messageId(message.messageId())
                .headers(message.headers().isEmpty() ? null : message.headers());
    }

    private void holdBack() throws InterruptedException {
        Waiter waiter = new Waiter();
        while (keeper.blocked() != null) {
            if (!channel.isOpen()) {
                throw TransportException.lost("the channel was lost while the broker held publishers back", null);
            }
            boolean unused = waiter.await(HOLD_BACK_CHECK);
        }
    }
}
