package io.cqrs.master.internal.relay;

import io.cqrs.master.UnroutablePolicy;
import io.cqrs.transport.spi.OutgoingMessage;
import io.cqrs.transport.spi.PublishOutcome;
import io.cqrs.transport.spi.Publisher;
import io.cqrs.transport.spi.Transport;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sees pages through: publishes one while the one before is being confirmed, deletes what the broker has, parks routing
 * keys that it does not take.
 *
 * <p>A row is deleted only if it was confirmed and its key is not parked: later rows of a parked key are sent again
 * behind the one that was refused, so an entity's changes keep their order. Belongs to the relay's thread.
 */
final class Shipment implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Shipment.class);
    private static final Duration CONFIRM_LIMIT = Duration.ofSeconds(60);

    private final RelaySettings settings;
    private final OutboxReader reader;
    private final Transport transport;
    private final Parked parked;
    private final Packer packer;
    private Publisher publisher;
    private boolean refused;
    private @Nullable OnItsWay onItsWay;

    private Shipment(
            RelaySettings settings, OutboxReader reader, Transport transport, Parked parked, Publisher publisher) {
        this.settings = settings;
        this.reader = reader;
        this.transport = transport;
        this.parked = parked;
        this.packer = new Packer(settings.wire());
        this.publisher = publisher;
    }

    /** Opens a publisher, waiting for the broker. */
    static Shipment open(RelaySettings settings, OutboxReader reader, Transport transport, Parked parked)
            throws InterruptedException {
        return new Shipment(settings, reader, transport, parked, transport.openPublisher());
    }

    /** Publishes a page and settles the one before. Returns whether there was anything to do. */
    boolean send(List<OutboxRow> page) throws SQLException, InterruptedException {
        List<OutboxRow> rows =
                page.stream().filter(row -> !parked.contains(row.routingKey())).toList();
        OnItsWay before = onItsWay;
        onItsWay = rows.isEmpty() ? null : publish(rows);
        if (before != null) {
            settle(before);
        }
        return before != null || !page.isEmpty();
    }

    /** Settles what is still on its way. */
    void settle() throws SQLException, InterruptedException {
        boolean unused = send(List.of());
    }

    /** Tries the first row of each parked key that is due, and sends the rest of those that get through. */
    boolean probeParked() throws SQLException, InterruptedException {
        if (parked.isEmpty() || !reader.isBetweenTicks()) {
            return false;
        }
        List<Parked.Due> dues = parked.due();
        if (!dues.isEmpty()) {
            settle();
            reopenIfRefused();
        }
        boolean worked = false;
        for (Parked.Due due : dues) {
            List<OutboxRow> rows = reader.held(due.routingKey(), due.probing() ? 1 : settings.pageSize());
            if (rows.isEmpty()) {
                parked.release(due.routingKey());
                settings.listener().released(due.routingKey());
                LOG.info("routing key {} is taken again, nothing is held", due.routingKey());
                continue;
            }
            worked = true;
            if (drain(publish(rows))) {
                parked.passed(due.routingKey());
            }
        }
        return worked;
    }

    /**
     * A channel may go on refusing when the cause is gone: that of RabbitMQ 3.10 does where a quorum queue was between two
     * leaders at the first message.
     */
    private void reopenIfRefused() throws InterruptedException {
        if (refused) {
            publisher.close();
            publisher = transport.openPublisher();
            refused = false;
        }
    }

    private boolean drain(OnItsWay held) throws SQLException, InterruptedException {
        List<PublishOutcome> outcomes = held.publication().await(CONFIRM_LIMIT);
        List<Long> confirmed = new ArrayList<>();
        List<Long> dropped = new ArrayList<>();
        boolean through = true;
        for (int i = 0; i < outcomes.size() && through; i++) {
            Parcel parcel = held.parcels().get(i);
            if (isDropped(outcomes.get(i))) {
                dropped.addAll(parcel.ids());
            } else if (outcomes.get(i).isConfirmed()) {
                confirmed.addAll(parcel.ids());
            } else {
                park(parcel, outcomes.get(i));
                through = false;
            }
        }
        delete(confirmed);
        drop(dropped);
        return through;
    }

    private void settle(OnItsWay sent) throws SQLException, InterruptedException {
        List<PublishOutcome> outcomes = sent.publication().await(CONFIRM_LIMIT);
        List<Long> done = new ArrayList<>();
        List<Long> dropped = new ArrayList<>();
        Set<String> refused = new HashSet<>();
        for (int i = 0; i < outcomes.size(); i++) {
            Parcel parcel = sent.parcels().get(i);
            PublishOutcome outcome = outcomes.get(i);
            if (isDropped(outcome)) {
                dropped.addAll(parcel.ids());
            } else if (!outcome.isConfirmed()) {
                if (refused.add(parcel.routingKey())) {
                    park(parcel, outcome);
                }
            } else if (!parked.contains(parcel.routingKey())) {
                done.addAll(parcel.ids());
            }
        }
        delete(done);
        drop(dropped);
    }

    private boolean isDropped(PublishOutcome outcome) {
        return outcome instanceof PublishOutcome.Unroutable && settings.unroutable() == UnroutablePolicy.DROP;
    }

    private void drop(List<Long> unroutable) throws SQLException {
        if (!unroutable.isEmpty()) {
            reader.delete(unroutable);
            settings.listener().dropped(unroutable.size());
        }
    }

    private void delete(List<Long> confirmed) throws SQLException {
        reader.delete(confirmed);
        if (!confirmed.isEmpty()) {
            settings.listener().published(confirmed.size());
        }
    }

    private static String reason(Parcel parcel, PublishOutcome outcome) {
        if (outcome instanceof PublishOutcome.Unroutable unroutable) {
            return unroutable.reason() + "; start a replica of it, or set the unroutable policy to drop";
        }
        if (outcome instanceof PublishOutcome.Unsendable unsendable) {
            return "a message of the rows from " + parcel.ids().get(0) + " to "
                    + parcel.ids().get(parcel.ids().size() - 1) + " can't be sent, " + unsendable.reason()
                    + "; raise that limit, or delete them and sync their entities";
        }
        return "the broker refused a message";
    }

    private void park(Parcel parcel, PublishOutcome outcome) {
        String routingKey = parcel.routingKey();
        if (parked.park(routingKey)) {
            LOG.warn("routing key {} is held, its changes wait in the outbox: {}", routingKey, reason(parcel, outcome));
        }
        if (outcome instanceof PublishOutcome.Unroutable) {
            settings.listener().returned(routingKey);
        } else {
            refused |= outcome == PublishOutcome.REFUSED;
            settings.listener().refused(routingKey);
        }
        settings.listener().held(routingKey);
    }

    private OnItsWay publish(List<OutboxRow> rows) throws InterruptedException {
        List<Parcel> parcels = packer.pack(rows);
        List<OutgoingMessage> messages = parcels.stream().map(Parcel::message).toList();
        return new OnItsWay(parcels, publisher.send(messages));
    }

    @Override
    public void close() {
        publisher.close();
    }

    private record OnItsWay(List<Parcel> parcels, Publisher.Publication publication) {}
}
