package io.cqrs.transport.rabbit;

import com.rabbitmq.client.Address;
import com.rabbitmq.client.BlockedListener;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import io.cqrs.core.TransportException;
import io.cqrs.core.lifecycle.Waiter;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps one connection of a role open, connecting with backoff for as long as it takes. Thread-safe. */
final class ConnectionKeeper {

    private static final Logger LOG = LoggerFactory.getLogger(ConnectionKeeper.class);
    private static final int CLOSE_MILLIS = 5_000;
    /** Where no answer is expected. */
    private static final int GIVE_UP_MILLIS = 100;
    /** The most that RabbitMQ takes unless it is told otherwise: what it has taken must not end the connection here. */
    private static final int MOST_INBOUND = (128 << 20) + 1;

    private static final AtomicInteger THREADS = new AtomicInteger();

    private final String role;
    private final RabbitConfig config;
    private final Limits limits = new Limits();
    private final Waiter waiter = new Waiter();
    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable Connection current;
    private volatile boolean closed;
    private volatile @Nullable String blocked;
    private volatile @Nullable TransportException unreachable;

    ConnectionKeeper(String role, RabbitConfig config) {
        this.role = role;
        this.config = config;
    }

    /** Returns the open connection, opening it first for as long as it takes. */
    Connection connection() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            return openConnection();
        } finally {
            lock.unlock();
        }
    }

    private Connection openConnection() throws InterruptedException {
        long start = System.nanoTime();
        for (int attempt = 1; !closed; attempt++) {
            Connection open = current;
            if (open != null && open.isOpen()) {
                return open;
            }
            try {
                current = connect();
                unreachable = null;
                LOG.info("connected to {} to {}", config.address(), role);
            } catch (IOException | TimeoutException e) {
                pauseAfter(e, attempt, start);
            } catch (GeneralSecurityException e) {
                throw TransportException.refused("TLS is not available: " + e.getMessage(), e);
            }
        }
        throw TransportException.refused("the transport is closed", null);
    }

    /** Returns why the broker holds publishers back, or null while it does not. */
    @Nullable
    String blocked() {
        return blocked;
    }

    /** Returns why the broker can't be reached, or holds publishers back, or null while neither is known. */
    @Nullable
    TransportException failure() {
        String reason = blocked;
        return unreachable != null || reason == null
                ? unreachable
                : TransportException.lost(
                        "RabbitMQ at " + config.address() + " holds publishers back: " + reason, null);
    }

    /** Leaves a connection on which the broker does not answer any more; the next one that is asked for is another. */
    void giveUp(Connection connection) {
        connection.abort(GIVE_UP_MILLIS);
    }

    /** Returns what can be sent, as far as it is known. */
    Limits limits() {
        return limits;
    }

    void close() {
        closed = true;
        waiter.wake();
        lock.lock();
        try {
            if (current != null) {
                current.abort(CLOSE_MILLIS);
                current = null;
            }
        } finally {
            lock.unlock();
        }
    }

    private void pauseAfter(Exception error, int attempt, long start) throws InterruptedException {
        Duration delay = config.reconnect().delay(attempt);
        Duration patience = config.patience();
        TransportException lost = TransportException.lost(
                "RabbitMQ at " + config.address() + " can't be reached: " + describe(error), error);
        unreachable = lost;
        if (patience != null && System.nanoTime() - start + delay.toNanos() > patience.toNanos()) {
            throw lost;
        }
        LOG.warn(
                "RabbitMQ at {} can't be reached to {} (attempt {}: {}), trying again in {}",
                config.address(),
                role,
                attempt,
                describe(error),
                delay);
        boolean unused = waiter.await(delay);
    }

    private static String describe(Throwable error) {
        Throwable root = error;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
    }

    private Connection connect() throws IOException, TimeoutException, GeneralSecurityException {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setVirtualHost(config.virtualHost());
        factory.setUsername(config.username());
        factory.setPassword(config.password());
        factory.setConnectionTimeout((int) config.connectTimeout().toMillis());
        factory.setHandshakeTimeout((int) config.connectTimeout().toMillis());
        factory.setRequestedHeartbeat((int) config.heartbeat().toSeconds());
        factory.setChannelRpcTimeout(30_000);
        factory.setMaxInboundMessageBodySize(MOST_INBOUND);
        factory.setAutomaticRecoveryEnabled(false);
        factory.setThreadFactory(task -> {
            Thread thread = new Thread(task, "cqrs-amqp-" + role + "-" + THREADS.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
        factory.setSharedExecutor(new DirectExecutor());
        factory.setClientProperties(clientProperties());
        if (config.tls()) {
            // The order matters: a bare useSslProtocol() would trust everybody.
            SSLContext context = config.sslContext();
            factory.useSslProtocol(context == null ? SSLContext.getDefault() : context);
            factory.enableHostnameVerification();
        }
        Connection connection = factory.newConnection(nodes(), "cqrs-" + role);
        blocked = null;
        connection.addBlockedListener(new HoldBack());
        return connection;
    }

    /** In another order each time, so that connections spread over a cluster. */
    private List<Address> nodes() {
        List<Address> nodes =
                config.nodes().stream().map(Address::parseAddress).collect(Collectors.toCollection(ArrayList::new));
        Collections.shuffle(nodes);
        return nodes;
    }

    private static Map<String, Object> clientProperties() {
        return Map.of(
                "product",
                "cqrs",
                "capabilities",
                Map.of(
                        "publisher_confirms", true,
                        "basic.nack", true,
                        "consumer_cancel_notify", true,
                        "connection.blocked", true,
                        "authentication_failure_close", true));
    }

    private final class HoldBack implements BlockedListener {
        @Override
        public void handleBlocked(String reason) {
            LOG.warn("RabbitMQ at {} holds publishers back: {}", config.address(), reason);
            blocked = reason;
        }

        @Override
        public void handleUnblocked() {
            LOG.info("RabbitMQ at {} takes messages again", config.address());
            blocked = null;
        }
    }
}
