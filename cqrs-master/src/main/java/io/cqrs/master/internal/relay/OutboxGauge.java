package io.cqrs.master.internal.relay;

import io.cqrs.core.jdbc.ConnectionSource;
import io.cqrs.core.jdbc.SessionSettings;
import io.cqrs.core.lifecycle.SessionLoop;
import io.cqrs.core.schema.CqrsSchema;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;

/**
 * Counts what waits in the outbox while its relay is the active one, and tells the listener. On a connection that it borrows each
 * time: the relay's waits with the relay, which may wait for the broker, and that is when the figures matter.
 */
public final class OutboxGauge implements SessionLoop.Session {

    private static final Duration LOOK = Duration.ofMillis(500);
    private static final Duration COUNT_INTERVAL = Duration.ofSeconds(5);

    private final ConnectionSource database;
    private final CqrsSchema schema;
    private final StatusKeeper status;

    /** Creates the gauge; a {@link SessionLoop} runs it. */
    public OutboxGauge(ConnectionSource database, CqrsSchema schema, StatusKeeper status) {
        this.database = database;
        this.schema = schema;
        this.status = status;
    }

    @Override
    public void run(SessionLoop.Control control) throws Exception {
        long counted = System.nanoTime() - COUNT_INTERVAL.toNanos();
        while (!control.stopping()) {
            if (status.isActive() && System.nanoTime() - counted >= COUNT_INTERVAL.toNanos()) {
                counted = System.nanoTime();
                count();
            }
            control.progressed();
            control.pause(LOOK);
        }
    }

    private void count() throws SQLException {
        try (Connection connection = database.open();
                SessionSettings unused = SessionSettings.set(connection, OutboxSql.SESSION, RelayLock.ANSWER_WITHIN)) {
            OutboxInspector.Backlog backlog = new OutboxInspector(connection, schema).backlog();
            status.waiting(backlog.rows(), backlog.oldest());
        }
    }
}
