package io.cqrs.master.internal.relay;

import io.cqrs.transport.MessageBatch;
import io.cqrs.transport.RoutingKeys;
import io.cqrs.transport.Wire;
import io.cqrs.transport.spi.Destination;
import io.cqrs.transport.spi.OutgoingMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Makes messages of rows: one each, or one of all that follow each other with one model and the same headers. So the order
 * stays that of the outbox, across models, too: a child does not come before its parent.
 *
 * <p>What goes to one queue is never packed: that may be a Django service's.
 */
final class Packer {

    /** As many as a worker applies at once. */
    private static final int MOST_CHANGES = 500;
    /** Larger messages gain nothing, and a worker holds some of them. */
    private static final int MOST_BYTES = 256 << 10;

    private final Wire wire;

    Packer(Wire wire) {
        this.wire = wire;
    }

    List<Parcel> pack(List<OutboxRow> rows) {
        List<Parcel> parcels = new ArrayList<>();
        List<OutboxRow> run = new ArrayList<>();
        long bytes = 0;
        for (OutboxRow row : rows) {
            boolean full = run.size() == MOST_CHANGES || bytes + row.body().length > MOST_BYTES;
            if (!run.isEmpty() && (full || !follows(run.get(0), row))) {
                parcels.add(parcel(run));
                run = new ArrayList<>();
                bytes = 0;
            }
            run.add(row);
            bytes += row.body().length;
        }
        if (!run.isEmpty()) {
            parcels.add(parcel(run));
        }
        return parcels;
    }

    private boolean follows(OutboxRow first, OutboxRow row) {
        return wire == Wire.BATCH
                && row.toAll()
                && row.routingKey().equals(first.routingKey())
                && Objects.equals(row.headers(), first.headers());
    }

    private Parcel parcel(List<OutboxRow> rows) {
        OutboxRow first = rows.get(0);
        OutgoingMessage message = MessageBatch.pack(
                new Destination.Exchange(routingKey(first)),
                Long.toString(first.id()),
                first.headerMap(),
                rows.stream().map(OutboxRow::body).toList());
        return new Parcel(rows.stream().map(OutboxRow::id).toList(), first.routingKey(), message);
    }

    /** A change alone goes the way of the batches: a queue gets all of a model's, or none. */
    private String routingKey(OutboxRow row) {
        return wire == Wire.BATCH && row.toAll() ? RoutingKeys.toAllBatched(row.routingKey()) : row.routingKey();
    }
}
