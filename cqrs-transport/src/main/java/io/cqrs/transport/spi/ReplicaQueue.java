package io.cqrs.transport.spi;

import io.cqrs.core.CqrsId;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * What a replica service needs in the broker. Immutable.
 *
 * @param name the queue
 * @param deadLetters the queue of what could not be applied
 * @param models whose messages it gets
 * @param type how the queues are made where they do not exist
 * @param shards over how many queues its messages are spread, by their ids: one queue is one process of one broker's node,
 *     several are as many, on as many nodes
 * @param deliveryLimit how often the broker hands a message over before it dead-letters it by itself; a safety net
 *     against a message that kills its worker, so well above the retries of one connection's loss. Quorum queues only
 */
public record ReplicaQueue(
        String name, String deadLetters, Set<CqrsId> models, Type type, int shards, int deliveryLimit) {

    /** The most shards. */
    public static final int MOST_SHARDS = 64;

    /** The delivery limit unless another is chosen. */
    public static final int DEFAULT_DELIVERY_LIMIT = 100;

    /** How the broker keeps a queue. */
    public enum Type {
        /** Replicated by Raft: the default. */
        QUORUM,
        /** On one node. */
        CLASSIC
    }

    /**
     * Checks the names.
     *
     * @throws IllegalArgumentException if a name is empty or longer than 120 characters, or a number out of range
     */
    public ReplicaQueue {
        requireName(name);
        requireName(deadLetters);
        Objects.requireNonNull(type, "type");
        models = Set.copyOf(models);
        if (shards < 1 || shards > MOST_SHARDS) {
            throw new IllegalArgumentException("shards " + shards + " must lie between 1 and " + MOST_SHARDS);
        }
        if (deliveryLimit < 1) {
            throw new IllegalArgumentException("delivery limit " + deliveryLimit + " is below 1");
        }
    }

    /** Returns the reference's name for a queue's dead letters, {@code dead_letter_<name>}. */
    public static String deadLettersOf(String name) {
        return "dead_letter_" + name;
    }

    /** Returns a quorum queue with the reference's dead letter queue. */
    public static ReplicaQueue of(String name, Set<CqrsId> models) {
        return new ReplicaQueue(name, deadLettersOf(name), models, Type.QUORUM, 1, DEFAULT_DELIVERY_LIMIT);
    }

    /** Returns this queue, made as another type. */
    public ReplicaQueue withType(Type other) {
        return new ReplicaQueue(name, deadLetters, models, other, shards, deliveryLimit);
    }

    /**
     * Returns this queue, spread over as many.
     *
     * @throws IllegalArgumentException if there are fewer than 1 or more than {@link #MOST_SHARDS}
     */
    public ReplicaQueue withShards(int count) {
        return new ReplicaQueue(name, deadLetters, models, type, count, deliveryLimit);
    }

    /** Returns the queues that it is spread over: the first has its name, as it would have alone, the others names of ours. */
    public List<String> names() {
        return IntStream.range(0, shards).mapToObj(this::shardName).toList();
    }

    /** Returns the name of one of the queues, counted from 0. */
    public String shardName(int number) {
        return number == 0 ? name : "cqrs." + name + ".shard." + number;
    }

    private static void requireName(String name) {
        // With "cqrs." and a model's id before and behind it, a routing key still fits into AMQP's 255 bytes.
        if (name.isBlank() || name.length() > 120) {
            throw new IllegalArgumentException("queue name \"" + name + "\" must have 1 to 120 characters");
        }
    }
}
