package io.cqrs.master.hibernate;

import io.cqrs.core.CqrsId;
import io.cqrs.transport.Headers;
import io.cqrs.transport.RoutingKeys;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where a sync goes.
 *
 * @param queue one queue, or null for all that are bound
 * @param forced whether it goes below a later state
 */
record Destination(@Nullable String queue, boolean forced) {

    String routingKey(CqrsId cqrsId) {
        return RoutingKeys.to(queue, cqrsId);
    }

    Map<String, Object> headers() {
        return forced ? Map.of(Headers.FORCE, true) : Map.of();
    }
}
