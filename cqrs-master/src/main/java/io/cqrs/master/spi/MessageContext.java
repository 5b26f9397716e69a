package io.cqrs.master.spi;

import io.cqrs.core.EntityKey;
import io.cqrs.core.Signal;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the application adds to each message: named by the persistence unit's property {@code cqrs.context}, as an
 * instance or a class with a constructor without parameters. Called in the thread that commits, before the commit; an
 * exception aborts it. Has to be thread-safe.
 */
public interface MessageContext {

    /**
     * Returns what ties messages and logs together, or null; null unless overridden.
     *
     * @param queue the queue that a sync is for, or null: it goes to all
     */
    default @Nullable String correlationId(Signal signal, EntityKey key, @Nullable String queue) {
        return null;
    }

    /** Returns {@code meta} where the entity itself gives none; nothing unless overridden. */
    default @Nullable Map<String, @Nullable Object> meta(Signal signal, EntityKey key) {
        return null;
    }

    /**
     * Returns headers of the message, such as {@code traceparent} and {@code tracestate} (W3C Trace Context); none
     * unless overridden. Asked once a transaction. Names that begin with {@code cqrs-} or {@code x-} are refused.
     */
    default Map<String, String> headers() {
        return Map.of();
    }
}
