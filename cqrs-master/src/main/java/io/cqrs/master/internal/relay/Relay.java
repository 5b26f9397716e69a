package io.cqrs.master.internal.relay;

import io.cqrs.core.jdbc.ConnectionSource;
import io.cqrs.core.lifecycle.SessionLoop;
import io.cqrs.core.lifecycle.Ticker;
import io.cqrs.transport.spi.Transport;
import java.sql.Connection;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes the outbox; one relay is active, others of the same outbox wait to take over.
 *
 * <ol>
 *   <li>Connect and wait for the session's advisory lock. Reading and deleting happen on that same connection: a relay
 *       that lost its lock can't delete.
 *   <li>Open a publisher, read the outbox page by page ({@link OutboxReader}), publish each page while the one before is
 *       being confirmed, delete what is confirmed ({@link Shipment}).
 *   <li>Nothing left: sleep a little, longer each time, until a commit of this process wakes it.
 *   <li>Whatever breaks, the channel is closed first, then the connection, and the loop begins anew: what was not deleted
 *       is published again, which replicas drop as duplicates.
 * </ol>
 */
public final class Relay implements SessionLoop.Session {

    private static final Logger LOG = LoggerFactory.getLogger(Relay.class);
    private static final Duration SHORTEST_POLL = Duration.ofMillis(2);
    private static final Duration LOCK_RETRY = Duration.ofSeconds(1);

    private final RelaySettings settings;
    private final ConnectionSource database;
    private final Transport transport;

    /** Creates a relay; a {@link SessionLoop} runs it. */
    public Relay(RelaySettings settings, ConnectionSource database, Transport transport) {
        this.settings = settings;
        this.database = database;
        this.transport = transport;
    }

    @Override
    public void run(SessionLoop.Control control) throws Exception {
        try (Connection connection = database.open();
                RelayLock lock = RelayLock.on(connection, settings.schema())) {
            lock.requireOutbox();
            while (!lock.tryAcquire()) {
                control.progressed();
                control.pause(LOCK_RETRY);
                if (control.stopping()) {
                    return;
                }
            }
            settings.listener().leading(true);
            LOG.info("relay of {}: active, through {}", settings.schema().outbox(), transport.describe());
            try (OutboxReader reader =
                            new OutboxReader(connection, settings.schema(), settings.pageSize(), settings.pageBytes());
                    Shipment shipment = Shipment.open(settings, reader, transport, new Parked(Ticker.SYSTEM))) {
                relay(control, reader, shipment);
            } finally {
                settings.listener().leading(false);
            }
        }
    }

    private void relay(SessionLoop.Control control, OutboxReader reader, Shipment shipment) throws Exception {
        Duration poll = SHORTEST_POLL;
        while (!control.stopping()) {
            boolean worked = shipment.send(reader.next());
            // Even while new rows never end: they would keep what is held for ever.
            worked |= shipment.probeParked();
            control.progressed();
            if (worked) {
                poll = SHORTEST_POLL;
            } else {
                boolean woken = control.waiter().await(poll);
                Duration doubled = poll.multipliedBy(2);
                boolean longest = doubled.compareTo(settings.longestPoll()) > 0;
                poll = woken ? SHORTEST_POLL : longest ? settings.longestPoll() : doubled;
            }
        }
        shipment.settle();
    }
}
