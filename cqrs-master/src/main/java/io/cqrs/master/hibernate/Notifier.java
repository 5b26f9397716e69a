package io.cqrs.master.hibernate;

import io.cqrs.core.Backoff;
import io.cqrs.core.lifecycle.SessionLoop;
import io.cqrs.core.schema.CqrsSchema;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import org.hibernate.engine.jdbc.connections.spi.ConnectionProvider;
import org.hibernate.engine.spi.SessionFactoryImplementor;

/**
 * Tells relays in other processes that there is something in the outbox, by NOTIFY.
 *
 * <p>Never within a user's transaction: a notifying commit takes a lock of the whole database, which costs 9 of 10 commits
 * at 16 writers. A thread of its own notifies, once for all commits since it did so last, on a connection that it borrows
 * for that; a relay that has just been at work looks again by itself before the next one is due. Relays poll besides, so a
 * notification that fails delays and loses nothing. Thread-safe.
 */
final class Notifier implements AutoCloseable {

    private static final Duration LEAST_INTERVAL = Duration.ofMillis(50);
    private static final Duration LONGEST_WAIT = Duration.ofMinutes(1);
    private static final Duration CLOSE_LIMIT = Duration.ofSeconds(1);
    private static final Backoff BACKOFF = Backoff.exponential(Duration.ofSeconds(1), Duration.ofMinutes(1));

    private final SessionLoop loop;
    private final String channel;
    private boolean started;
    private boolean closed;

    Notifier(SessionFactoryImplementor factory, CqrsSchema schema) {
        this.channel = schema.channel();
        this.loop = new SessionLoop("notify-1", BACKOFF, CLOSE_LIMIT, control -> run(control, factory));
    }

    /** Has relays notified soon; starts the thread when first called. */
    void wake() {
        start();
        loop.wake();
    }

    private synchronized void start() {
        if (!started && !closed) {
            started = true;
            loop.start();
        }
    }

    private void run(SessionLoop.Control control, SessionFactoryImplementor factory) throws Exception {
        ConnectionProvider pool = factory.getServiceRegistry().requireService(ConnectionProvider.class);
        while (!control.stopping()) {
            if (control.waiter().await(LONGEST_WAIT) && !control.stopping()) {
                Connection connection = pool.getConnection();
                try {
                    send(connection);
                } finally {
                    pool.closeConnection(connection);
                }
                control.progressed();
                control.pause(LEAST_INTERVAL);
            }
        }
    }

    private void send(Connection connection) throws SQLException {
        // Nothing is lost with a notification: its commit need not wait for the disk.
        try (PreparedStatement statement =
                connection.prepareStatement("select set_config('synchronous_commit', 'off', true), pg_notify(?, '')")) {
            statement.setString(1, channel);
            statement.execute();
        }
        if (!connection.getAutoCommit()) {
            connection.commit();
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        loop.close();
    }
}
