package io.cqrs.master;

import io.cqrs.core.Backoff;
import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.lifecycle.SessionLoop;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.master.internal.relay.OutboxAlarm;
import io.cqrs.master.internal.relay.OutboxGauge;
import io.cqrs.master.internal.relay.Relay;
import io.cqrs.master.internal.relay.RelaySettings;
import io.cqrs.master.internal.relay.StatusKeeper;
import io.cqrs.transport.Wire;
import io.cqrs.transport.spi.Transport;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Publishes the committed changes that wait in an outbox, in the background.
 *
 * <p>Run as many as you like for one outbox: one is active, another takes over when it dies. Thread-safe.
 */
public final class CqrsRelay implements AutoCloseable {

    private static final Duration CLOSE_LIMIT = Duration.ofSeconds(5);
    private static final Backoff BACKOFF = Backoff.exponential(Duration.ofMillis(200), Duration.ofSeconds(5));

    private final SessionLoop loop;
    private final SessionLoop alarm;
    private final SessionLoop gauge;
    private final StatusKeeper status;
    private final Transport transport;

    private CqrsRelay(RelaySettings settings, StatusKeeper status, DataSource dataSource, Transport transport) {
        this.status = status;
        this.transport = transport;
        this.loop = new SessionLoop(
                "relay-1", BACKOFF, CLOSE_LIMIT, new Relay(settings, dataSource::getConnection, transport));
        this.alarm = new SessionLoop(
                "relay-alarm-1",
                BACKOFF,
                CLOSE_LIMIT,
                new OutboxAlarm(dataSource::getConnection, settings.schema(), loop::wake));
        this.gauge = new SessionLoop(
                "relay-gauge-1",
                BACKOFF,
                CLOSE_LIMIT,
                new OutboxGauge(dataSource::getConnection, settings.schema(), status));
    }

    /**
     * Begins with the database that holds the outbox. The relay keeps two connections for itself, for as long as it
     * lives, and borrows a third every five seconds: give it direct ones, not through a transaction pooler.
     */
    public static Builder builder(DataSource dataSource) {
        return new Builder(Objects.requireNonNull(dataSource, "dataSource"));
    }

    /**
     * Starts; returns at once. The database and the broker may come and go.
     *
     * @throws IllegalThreadStateException if it was started before
     */
    public void start() {
        loop.start();
        alarm.start();
        gauge.start();
    }

    /** Has an idle relay look into the outbox now: call it after a commit. */
    public void wake() {
        loop.wake();
    }

    /**
     * Wakes the relay as {@link #wake} does.
     *
     * @return whether this is the active relay of its outbox
     */
    public boolean wakeIfActive() {
        boolean active = status.isActive();
        if (active) {
            loop.wake();
        }
        return active;
    }

    /** Returns how the relay is, for health checks. */
    public RelayStatus status() {
        return status.status(failure());
    }

    /** Says whether it was started and neither closed nor ended by an error; active or not. */
    public boolean isRunning() {
        return loop.isRunning();
    }

    /** Returns what the relay failed with last, or what keeps it from publishing now, or null while it works. */
    public @Nullable Throwable failure() {
        Throwable failure = loop.failure();
        // One that stands by does not ask for the broker, and would not learn that it is back.
        return failure == null && status.isActive() ? transport.publishingFailure() : failure;
    }

    /** Finishes what is on its way, at most five seconds, and stops. Idempotent. */
    @Override
    public void close() {
        SessionLoop.closeAll(List.of(loop, alarm, gauge));
    }

    /** Collects the settings. Not thread-safe. */
    public static final class Builder {

        private final DataSource dataSource;
        private @Nullable Transport transport;
        private CqrsSchema schema = CqrsSchema.standard();
        private int pageSize = 1000;
        private long pageBytes = 8L << 20;
        private Duration longestPoll = Duration.ofMillis(100);
        private UnroutablePolicy unroutable = UnroutablePolicy.HOLD;
        private Wire wire = Wire.SINGLE;
        private RelayListener listener = new RelayListener() {};

        private Builder(DataSource dataSource) {
            this.dataSource = dataSource;
        }

        /** Sets the transport; it stays the caller's to close. Required. */
        public Builder transport(Transport value) {
            this.transport = Objects.requireNonNull(value, "transport");
            return this;
        }

        /** Sets the schema of the outbox; {@code cqrs} unless set. */
        public Builder schema(CqrsSchema value) {
            this.schema = Objects.requireNonNull(value, "schema");
            return this;
        }

        /** Sets how many messages are published before their confirms are awaited, 1 to 10000; 1000 unless set. */
        public Builder pageSize(int count) {
            this.pageSize = count;
            return this;
        }

        /** Sets the bytes from which on a page takes no further message; 8 MiB unless set. */
        public Builder pageBytes(long bytes) {
            this.pageBytes = bytes;
            return this;
        }

        /** Sets how long an idle relay sleeps at most between two looks into the outbox; 100 ms unless set. */
        public Builder longestPoll(Duration duration) {
            this.longestPoll = Objects.requireNonNull(duration, "longestPoll");
            return this;
        }

        /** Sets what happens to changes that no queue is bound for; they are held unless set. */
        public Builder unroutable(UnroutablePolicy policy) {
            this.unroutable = Objects.requireNonNull(policy, "unroutable");
            return this;
        }

        /** Sets how changes become messages; each one of its own unless set. */
        public Builder wire(Wire value) {
            this.wire = Objects.requireNonNull(value, "wire");
            return this;
        }

        /** Sets who is told. */
        public Builder listener(RelayListener value) {
            this.listener = Objects.requireNonNull(value, "listener");
            return this;
        }

        /**
         * Builds the relay without starting it.
         *
         * @throws CqrsConfigurationException if no transport is set
         * @throws IllegalArgumentException if a number is out of range
         */
        public CqrsRelay build() {
            if (transport == null) {
                throw new CqrsConfigurationException("no transport is set");
            }
            if (pageSize < 1 || pageSize > 10_000 || pageBytes < 1) {
                throw new IllegalArgumentException(
                        "pageSize " + pageSize + " must lie between 1 and 10000, pageBytes " + pageBytes + " above 0");
            }
            if (longestPoll.isNegative() || longestPoll.isZero()) {
                throw new IllegalArgumentException("longestPoll " + longestPoll + " must be more than zero");
            }
            StatusKeeper status = new StatusKeeper(listener);
            RelaySettings settings =
                    new RelaySettings(schema, pageSize, pageBytes, longestPoll, unroutable, wire, status);
            return new CqrsRelay(settings, status, dataSource, transport);
        }
    }
}
