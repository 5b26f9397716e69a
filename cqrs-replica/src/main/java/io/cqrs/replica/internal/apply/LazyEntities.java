package io.cqrs.replica.internal.apply;

import java.sql.Connection;
import org.jspecify.annotations.Nullable;

/** The persistence context of one batch, opened by the first hook that needs it. Belongs to its thread. */
final class LazyEntities implements AutoCloseable {

    private final @Nullable EntitySessions sessions;
    private final Connection connection;
    private @Nullable EntitySession open;

    LazyEntities(@Nullable EntitySessions sessions, Connection connection) {
        this.sessions = sessions;
        this.connection = connection;
    }

    EntitySession get() {
        if (sessions == null) {
            throw new IllegalStateException("the replica was built without a persistence unit: there are no entities");
        }
        if (open == null) {
            open = sessions.open(connection);
        }
        return open;
    }

    Connection connection() {
        return connection;
    }

    /** Writes what is not written yet. */
    void flush() {
        if (open != null) {
            open.flush();
        }
    }

    /** Writes and commits where it was opened; otherwise the connection's owner commits. */
    void commit() {
        if (open != null) {
            open.commit();
        }
    }

    @Override
    public void close() {
        if (open != null) {
            open.close();
        }
    }
}
