package io.cqrs.replica.internal.consume;

import io.cqrs.core.Backoff;
import io.cqrs.core.TransportException;
import io.cqrs.core.jdbc.ConnectionSource;
import io.cqrs.core.lifecycle.SessionLoop;
import io.cqrs.replica.internal.apply.BatchApplier;
import io.cqrs.replica.internal.apply.TableAlteredException;
import io.cqrs.transport.spi.Delivery;
import io.cqrs.transport.spi.Receiver;
import io.cqrs.transport.spi.Transport;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One worker: a thread, a channel and a database connection.
 *
 * <ol>
 *   <li>Connect to the database first: while it is down, nothing is taken off the queue.
 *   <li>Take what is there, up to the batch size and the byte budget; linger only where many are there at once.
 *   <li>See every message through ({@link BatchProcessor}): applied and committed, or handed to the broker again.
 *   <li>Acknowledge all at once.
 * </ol>
 *
 * <p>Whatever breaks, the session ends, what was not acknowledged comes again, and the loop begins a new session.
 */
public final class Worker implements SessionLoop.Session {

    private static final Logger LOG = LoggerFactory.getLogger(Worker.class);
    private static final Duration WAIT = Duration.ofMillis(100);
    /** As many at once, but no full batch, say that the next are on their way: together they cost less than one by one. */
    private static final int MANY = 50;
    /** Where none were, as with a prefetch below a batch, so many batches are not waited for. */
    private static final int HASTY = 100;

    private static final Duration LINGER = Duration.ofMillis(5);
    private static final Duration PURGE_INTERVAL = Duration.ofHours(1);
    private static final Duration DECLARE_INTERVAL = Duration.ofMinutes(10);
    private static final Duration CLOSE_LIMIT = Duration.ofSeconds(10);
    private static final Backoff BACKOFF = Backoff.exponential(Duration.ofMillis(200), Duration.ofSeconds(5));

    private final WorkerSettings settings;
    private final Transport transport;
    private final ConnectionSource database;
    private int hasty;

    /** Creates a worker; {@link #loop} runs it. */
    public Worker(WorkerSettings settings, Transport transport, ConnectionSource database) {
        this.settings = settings;
        this.transport = transport;
        this.database = database;
    }

    /** Returns the loop that runs this worker, not started. */
    public SessionLoop loop(int number) {
        return new SessionLoop("worker-" + number, BACKOFF, CLOSE_LIMIT, this);
    }

    /**
     * Prepares a connection for these replicas.
     *
     * @throws io.cqrs.core.CqrsConfigurationException if a table does not fit its declaration, or the schema is missing
     * @throws SQLException if the database refuses, or is gone
     */
    static BatchApplier openApplier(Connection connection, WorkerSettings settings) throws SQLException {
        return BatchApplier.open(
                connection,
                settings.definitions().values(),
                settings.schema(),
                settings.entities(),
                settings.statementTimeout());
    }

    @Override
    public void run(SessionLoop.Control control) throws Exception {
        try (Connection connection = database.open();
                BatchApplier applier = openApplier(connection, settings);
                FailedMessages failed = new FailedMessages(settings, transport)) {
            BatchProcessor processor = new BatchProcessor(settings, applier, failed, control);
            List<String> queues = transport.declare(settings.queue());
            try (Receiver receiver =
                    transport.openReceiver(queues, 2 * settings.batchSize(), 2 * settings.batchBytes())) {
                consume(control, receiver, queues, processor, applier);
            }
        } catch (TableAlteredException e) {
            LOG.info("{}, reading it anew", e.getMessage());
            // A hook may alter it each time.
            control.pause(BACKOFF.delay(1));
        }
    }

    /** What can't be declared now is no reason to leave what is received from the queues that are there. */
    private List<String> queuesNow(List<String> known) throws InterruptedException {
        try {
            return transport.declare(settings.queue());
        } catch (TransportException e) {
            LOG.warn(
                    "the queues of {} could not be looked at: {}",
                    settings.queue().name(),
                    e.getMessage());
            return known;
        }
    }

    private List<Delivery> receive(SessionLoop.Control control, Receiver receiver) throws InterruptedException {
        List<Delivery> here = receiver.receive(settings.batchSize(), settings.batchBytes(), WAIT);
        long changesLeft = settings.batchSize()
                - here.stream().mapToLong(Delivery::changes).sum();
        long bytesLeft =
                settings.batchBytes() - here.stream().mapToLong(Delivery::size).sum();
        if (here.size() < MANY || changesLeft <= 0 || bytesLeft <= 0 || hasty-- > 0) {
            return here;
        }
        control.pause(LINGER);
        List<Delivery> next = receiver.receive((int) changesLeft, bytesLeft, Duration.ZERO);
        hasty = next.isEmpty() ? HASTY : 0;
        return Stream.concat(here.stream(), next.stream()).toList();
    }

    /** Until asked to stop, or the replica has other queues than these. */
    private void consume(
            SessionLoop.Control control,
            Receiver receiver,
            List<String> queues,
            BatchProcessor processor,
            BatchApplier applier)
            throws Exception {
        Periodic purge = new Periodic(PURGE_INTERVAL, Instant.EPOCH);
        Periodic declare = new Periodic(DECLARE_INTERVAL, settings.clock().instant());
        while (!control.stopping()) {
            List<Delivery> deliveries = receive(control, receiver);
            if (!deliveries.isEmpty()) {
                processor.process(deliveries);
                receiver.acknowledgeUpTo(deliveries.get(deliveries.size() - 1));
            }
            control.progressed();
            Instant now = settings.clock().instant();
            if (purge.isDue(now)) {
                applier.purgeTombstones(settings.tombstoneRetention());
            }
            // Bindings that somebody removed come back, and shards that another worker left or declared are found.
            if (declare.isDue(now) && !queuesNow(queues).equals(queues)) {
                return;
            }
        }
    }
}
