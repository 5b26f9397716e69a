package io.cqrs.transport.rabbit;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.BuiltinExchangeType;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ShutdownSignalException;
import io.cqrs.core.CqrsId;
import io.cqrs.core.TransportException;
import io.cqrs.transport.RoutingKeys;
import io.cqrs.transport.spi.Destination;
import io.cqrs.transport.spi.ReplicaQueue;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Declares exchange, queues and bindings, each step on a channel of its own, since a refusal closes the channel.
 *
 * <p>A queue that exists is used as it is: declaring it again with other arguments would be refused.
 */
final class Topology {

    private static final Logger LOG = LoggerFactory.getLogger(Topology.class);

    private final Connection connection;
    private final String exchange;

    Topology(Connection connection, String exchange) {
        this.connection = connection;
        this.exchange = exchange;
    }

    void declareExchange() {
        onChannel(
                "exchange " + exchange, channel -> channel.exchangeDeclare(exchange, BuiltinExchangeType.TOPIC, true));
    }

    /** Returns the queues to receive from. */
    List<String> declare(ReplicaQueue queue) {
        declareExchange();
        declareQueue(queue.deadLetters(), deadLetterArguments(queue));
        queue.names().forEach(name -> declareQueue(name, mainArguments(queue, name)));
        onChannel("bindings of " + queue.deadLetters(), channel -> {
            for (CqrsId model : queue.models()) {
                channel.queueBind(queue.deadLetters(), exchange, RoutingKeys.toQueue(queue.deadLetters(), model));
            }
        });
        return new Shards(this, exchange, queue).bind();
    }

    /** Declares what keeps messages for a delay, and returns the exchange to publish them to. */
    String declareDelay(Destination.Delayed delayed) {
        String name = delayName(delayed.queue(), delayed.delay());
        declareQueue(name, delayArguments(delayed.delay()));
        onChannel("delay " + name, channel -> {
            channel.exchangeDeclare(name, BuiltinExchangeType.FANOUT, true);
            channel.queueBind(name, name, "");
        });
        return name;
    }

    void delete(ReplicaQueue queue) {
        onChannel("deletion of " + queue.name(), channel -> {
            for (int shard = 0; shard < ReplicaQueue.MOST_SHARDS; shard++) {
                AMQP.Queue.DeleteOk unused = channel.queueDelete(queue.shardName(shard));
            }
            AMQP.Queue.DeleteOk unusedLetters = channel.queueDelete(queue.deadLetters());
            channel.exchangeDelete(Shards.exchangeOf(queue));
            for (Duration step : Destination.Delayed.STEPS) {
                AMQP.Queue.DeleteOk unused = channel.queueDelete(delayName(queue.name(), step));
                channel.exchangeDelete(delayName(queue.name(), step));
            }
        });
        try {
            onChannel("deletion of " + exchange, channel -> channel.exchangeDelete(exchange, true));
        } catch (TransportException e) {
            LOG.debug("exchange {} is still in use", exchange, e);
        }
    }

    private static String delayName(String queue, Duration delay) {
        return "cqrs." + queue + ".delay." + delay.toSeconds() + "s";
    }

    private static Map<String, Object> arguments(ReplicaQueue.Type type) {
        Map<String, Object> arguments = new HashMap<>();
        arguments.put("x-queue-type", type == ReplicaQueue.Type.QUORUM ? "quorum" : "classic");
        return arguments;
    }

    /** Whoever looks through a queue gives its messages back: the broker must not count that against them. */
    private static Map<String, Object> deadLetterArguments(ReplicaQueue queue) {
        Map<String, Object> arguments = arguments(queue.type());
        if (queue.type() == ReplicaQueue.Type.QUORUM) {
            arguments.put("x-delivery-limit", Integer.MAX_VALUE);
        }
        return arguments;
    }

    private static Map<String, Object> mainArguments(ReplicaQueue queue, String name) {
        Map<String, Object> arguments = arguments(queue.type());
        arguments.put("x-dead-letter-exchange", "");
        arguments.put("x-dead-letter-routing-key", queue.deadLetters());
        if (queue.type() == ReplicaQueue.Type.QUORUM) {
            arguments.put("x-delivery-limit", queue.deliveryLimit());
            if (!name.equals(queue.name())) {
                // On the node that leads the fewest, not on that of whoever declares them all.
                arguments.put("x-queue-leader-locator", "balanced");
            }
            arguments.put("x-dead-letter-strategy", "at-least-once");
            arguments.put("x-overflow", "reject-publish");
        }
        return arguments;
    }

    private Map<String, Object> delayArguments(Duration delay) {
        Map<String, Object> arguments = arguments(ReplicaQueue.Type.QUORUM);
        arguments.put("x-message-ttl", delay.toMillis());
        arguments.put("x-dead-letter-exchange", exchange);
        arguments.put("x-dead-letter-strategy", "at-least-once");
        arguments.put("x-overflow", "reject-publish");
        return arguments;
    }

    private void declareQueue(String queue, Map<String, Object> arguments) {
        if (!exists(queue)) {
            onChannel("queue " + queue, channel -> {
                AMQP.Queue.DeclareOk unused = channel.queueDeclare(queue, true, false, false, arguments);
            });
        } else {
            LOG.debug("queue {} exists, used as it is", queue);
        }
    }

    boolean exists(String queue) {
        return inspect(queue) != null;
    }

    /** Says whether queues that exist were declared as they would be here. */
    boolean isAsDeclared(ReplicaQueue queue) {
        return queue.names().stream().allMatch(name -> isAsDeclared(name, mainArguments(queue, name)))
                && isAsDeclared(queue.deadLetters(), deadLetterArguments(queue));
    }

    private boolean isAsDeclared(String queue, Map<String, Object> arguments) {
        try (Channel channel = RabbitTransport.openChannel(connection)) {
            AMQP.Queue.DeclareOk unused = channel.queueDeclare(queue, true, false, false, arguments);
            return true;
        } catch (IOException | TimeoutException | RuntimeException e) {
            if (closeCode(e) == AMQP.PRECONDITION_FAILED) {
                return false;
            }
            throw error("queue " + queue, e);
        }
    }

    /** Looks at a queue; returns null where there is none. */
    @Nullable
    QueueStatus inspect(String queue) {
        try (Channel channel = RabbitTransport.openChannel(connection)) {
            AMQP.Queue.DeclareOk found = channel.queueDeclarePassive(queue);
            return new QueueStatus(found.getMessageCount(), found.getConsumerCount());
        } catch (IOException | TimeoutException | RuntimeException e) {
            if (closeCode(e) == AMQP.NOT_FOUND) {
                return null;
            }
            throw error("queue " + queue, e);
        }
    }

    /** Counts what the queues for delays hold, as far as there are any. */
    long retrying(String queue) {
        long all = 0;
        for (Duration step : Destination.Delayed.STEPS) {
            QueueStatus waiting = inspect(delayName(queue, step));
            all += waiting == null ? 0 : waiting.ready();
        }
        return all;
    }

    void onChannel(String what, Step step) {
        try (Channel channel = RabbitTransport.openChannel(connection)) {
            step.run(channel);
        } catch (IOException | TimeoutException | RuntimeException e) {
            throw error(what, e);
        }
    }

    private static TransportException error(String what, Exception e) {
        if (e instanceof TransportException known) {
            return known;
        }
        String message = what + " could not be declared: " + reason(e);
        int code = closeCode(e);
        boolean refused =
                code == AMQP.PRECONDITION_FAILED || code == AMQP.ACCESS_REFUSED || code == AMQP.RESOURCE_LOCKED;
        return refused ? TransportException.refused(message, e) : TransportException.lost(message, e);
    }

    static int closeCode(Throwable error) {
        for (Throwable e = error; e != null; e = e.getCause()) {
            if (e instanceof ShutdownSignalException shutdown
                    && shutdown.getReason() instanceof AMQP.Channel.Close close) {
                return close.getReplyCode();
            }
        }
        return 0;
    }

    static String reason(Throwable error) {
        for (Throwable e = error; e != null; e = e.getCause()) {
            if (e instanceof ShutdownSignalException shutdown) {
                if (shutdown.getReason() instanceof AMQP.Channel.Close close) {
                    return close.getReplyText();
                }
                if (shutdown.getReason() instanceof AMQP.Connection.Close close) {
                    return close.getReplyText();
                }
            }
        }
        return String.valueOf(error.getMessage());
    }

    @FunctionalInterface
    interface Step {
        void run(Channel channel) throws IOException;
    }
}
