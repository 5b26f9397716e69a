package io.cqrs.transport;

import io.cqrs.core.CqrsId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The routing keys of django-cqrs, which a Django service in the fleet binds too, and that of batches. Stateless. */
public final class RoutingKeys {

    private static final String BATCHED = "batch.";

    private RoutingKeys() {}

    /** Returns the key that reaches every replica of the model. */
    public static String toAll(CqrsId cqrsId) {
        return cqrsId.value();
    }

    /** Returns the key that reaches every replica of the model that is of this framework: by it go batches. */
    public static String toAllBatched(String cqrsId) {
        return BATCHED + cqrsId;
    }

    /** Says whether a message by this key went to every replica of the model. */
    public static boolean isToAll(String routingKey, CqrsId cqrsId) {
        return routingKey.equals(cqrsId.value()) || routingKey.equals(toAllBatched(cqrsId.value()));
    }

    /** Returns the key that reaches one queue: a sync aimed at it, its own retries, its dead letters. */
    public static String toQueue(String queue, CqrsId cqrsId) {
        return "cqrs." + queue + "." + cqrsId.value();
    }

    /** Returns all keys that reach a replica's queue with changes of the model. */
    public static List<String> toReplica(String queue, CqrsId cqrsId) {
        return List.of(toAll(cqrsId), toAllBatched(cqrsId.value()), toQueue(queue, cqrsId));
    }

    /** Returns the key that reaches one queue, or where none is named every replica of the model. */
    public static String to(@Nullable String queue, CqrsId cqrsId) {
        return queue == null ? toAll(cqrsId) : toQueue(queue, cqrsId);
    }
}
