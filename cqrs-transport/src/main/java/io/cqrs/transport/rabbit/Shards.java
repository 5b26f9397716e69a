package io.cqrs.transport.rabbit;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import io.cqrs.core.CqrsId;
import io.cqrs.core.TransportException;
import io.cqrs.transport.RoutingKeys;
import io.cqrs.transport.spi.ReplicaQueue;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Binds a replica's queue, or spreads its messages over several by a consistent hash of their ids: then one exchange of the
 * broker's plugin is bound as the queue would be, and the queues to it.
 *
 * <p>Workers may disagree on the number, and bind at the same time: so the way by the exchange is never taken back, and the
 * queue's own is once the other is open. Something is bound at each moment; what comes both ways is a duplicate to the guard.
 */
final class Shards {

    private static final String TYPE = "x-consistent-hash";
    /** The routing key of a binding to such an exchange is its weight. */
    private static final String WEIGHT = "1";

    private final Topology topology;
    private final String exchange;
    private final ReplicaQueue queue;
    private final String hash;

    Shards(Topology topology, String exchange, ReplicaQueue queue) {
        this.topology = topology;
        this.exchange = exchange;
        this.queue = queue;
        this.hash = exchangeOf(queue);
    }

    static String exchangeOf(ReplicaQueue queue) {
        return "cqrs." + queue.name() + ".shards";
    }

    /** Returns the queues to receive from: those declared, and those left of when there were more. */
    List<String> bind() {
        if (queue.shards() > 1) {
            declareHash();
        } else if (!isHashed()) {
            eachKey((channel, key) -> channel.queueBind(queue.name(), exchange, key));
            return queue.names();
        }
        List<String> left = left();
        topology.onChannel("bindings of " + hash, channel -> {
            for (String name : queue.names()) {
                channel.queueBind(name, hash, WEIGHT);
            }
            for (String name : left) {
                channel.queueUnbind(name, hash, WEIGHT);
            }
        });
        eachKey((channel, key) -> channel.exchangeBind(hash, exchange, key));
        eachKey((channel, key) -> channel.queueUnbind(queue.name(), exchange, key));
        return Stream.concat(queue.names().stream(), left.stream()).toList();
    }

    private void declareHash() {
        try {
            topology.onChannel(
                    "exchange " + hash,
                    channel -> channel.exchangeDeclare(hash, TYPE, true, false, Map.of("hash-property", "message_id")));
        } catch (TransportException e) {
            if (Topology.reason(e).contains("exchange type")) {
                throw TransportException.refused(
                        "the broker can't spread messages over " + queue.shards()
                                + " shards: run `rabbitmq-plugins enable"
                                + " rabbitmq_consistent_hash_exchange` on each of its nodes, or set shards to 1",
                        e);
            }
            throw e;
        }
    }

    /**
     * Says whether the messages go by the exchange: asks for it to be deleted if it routes to nothing. A look at one that does
     * not exist would be an error in the broker's log for each replica without shards.
     */
    private boolean isHashed() {
        try {
            topology.onChannel("exchange " + hash, channel -> channel.exchangeDelete(hash, true));
            return false;
        } catch (TransportException e) {
            return switch (Topology.closeCode(e)) {
                case AMQP.PRECONDITION_FAILED -> true;
                // Whoever may not touch it has not made it.
                case AMQP.ACCESS_REFUSED -> false;
                default -> throw e;
            };
        }
    }

    private List<String> left() {
        List<String> left = new ArrayList<>();
        for (int shard = queue.shards(); topology.exists(queue.shardName(shard)); shard++) {
            left.add(queue.shardName(shard));
        }
        return left;
    }

    private void eachKey(Binding binding) {
        topology.onChannel("bindings of " + queue.name(), channel -> {
            for (CqrsId model : queue.models()) {
                for (String key : RoutingKeys.toReplica(queue.name(), model)) {
                    binding.apply(channel, key);
                }
            }
        });
    }

    @FunctionalInterface
    private interface Binding {
        void apply(Channel channel, String key) throws IOException;
    }
}
