package io.cqrs.replica.internal.apply;

import java.sql.Connection;

/** Opens persistence contexts on workers' connections. Thread-safe. */
@FunctionalInterface
public interface EntitySessions {

    /** Opens one for a batch, in the connection's transaction. */
    EntitySession open(Connection connection);
}
