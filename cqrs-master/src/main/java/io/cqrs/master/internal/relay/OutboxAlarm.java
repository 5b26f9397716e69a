package io.cqrs.master.internal.relay;

import io.cqrs.core.jdbc.ConnectionSource;
import io.cqrs.core.jdbc.SessionSettings;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.lifecycle.SessionLoop;
import io.cqrs.core.schema.CqrsSchema;
import java.sql.Connection;
import java.sql.Statement;
import java.util.Map;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;

/**
 * Wakes the relay when a process elsewhere has notified that there is something in the outbox (LISTEN). It only makes the
 * relay faster: while it is away the relay polls. It keeps a connection of its own, since the relay's is busy.
 */
public final class OutboxAlarm implements SessionLoop.Session {

    private static final int WAIT_MILLIS = 250;

    private final ConnectionSource database;
    private final CqrsSchema schema;
    private final Runnable wake;

    /** Creates the alarm; a {@link SessionLoop} runs it. */
    public OutboxAlarm(ConnectionSource database, CqrsSchema schema, Runnable wake) {
        this.database = database;
        this.schema = schema;
        this.wake = wake;
    }

    @Override
    public void run(SessionLoop.Control control) throws Exception {
        String channel = TableName.quote(schema.channel());
        try (Connection connection = database.open();
                SessionSettings session = SessionSettings.set(connection, Map.of());
                Statement statement = connection.createStatement()) {
            statement.execute("listen " + channel);
            PGConnection postgres = connection.unwrap(PGConnection.class);
            while (!control.stopping()) {
                PGNotification[] received = postgres.getNotifications(WAIT_MILLIS);
                control.progressed();
                if (received != null && received.length > 0) {
                    wake.run();
                }
            }
            statement.execute("unlisten " + channel);
            session.close();
        }
    }
}
