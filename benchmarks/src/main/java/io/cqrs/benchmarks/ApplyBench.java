package io.cqrs.benchmarks;

import io.cqrs.replica.CqrsReplica;
import io.cqrs.tools.servers.Servers;
import io.cqrs.transport.MessageBatch;
import io.cqrs.transport.MessageCodec;
import io.cqrs.transport.Wire;
import io.cqrs.transport.spi.Destination;
import io.cqrs.transport.spi.OutgoingMessage;
import io.cqrs.transport.spi.PublishOutcome;
import io.cqrs.transport.spi.Publisher;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;

/**
 * Applying from the queue: a queue is filled with changes of rows of 10 columns, half new, half updates, and the time to
 * empty it is taken, for the framework's workers and for {@link BareApply}.
 */
final class ApplyBench implements Bench {

    /** Batches that a queue is filled with ahead of the confirms. */
    private static final int UNCONFIRMED = 20;

    private final BenchQueue queue;
    private final String databaseUrl;
    private final int rows;

    private ApplyBench(BenchQueue queue, String databaseUrl, int rows) {
        this.queue = queue;
        this.databaseUrl = databaseUrl;
        this.rows = rows;
    }

    static ApplyBench build(Servers servers, int rows, String queueType) throws Exception {
        return new ApplyBench(BenchQueue.open(servers, queueType), Databases.create(servers, "bench"), rows);
    }

    @Override
    public List<Measure> measures() {
        return List.of(
                measure("apply-1", 1, Wire.SINGLE),
                measure("apply-2", 2, Wire.SINGLE),
                measure("apply-batch", 2, Wire.BATCH));
    }

    private Measure measure(String name, int workers, Wire wire) {
        List<String> conditions = new ArrayList<>(conditions());
        conditions.add(wire == Wire.BATCH ? "500 changes a message beside a floor of one" : "one change a message");
        conditions.add("workers " + workers + " beside a floor of 1 thread, of JSON trees and the driver's arrays");
        return new Measure(name, "rows/s", List.copyOf(conditions), () -> apply(workers, wire), this::applyBare);
    }

    /** Returns what holds for all ways to apply. */
    List<String> conditions() {
        return List.of(
                "rows " + rows,
                queue.condition(),
                "batch " + BenchQueue.BATCH,
                "prefetch " + BenchQueue.PREFETCH,
                "persistent messages",
                Databases.durability(databaseUrl));
    }

    @Override
    public void close() throws InterruptedException {
        queue.close();
    }

    /** Fills the queue, and returns the rows a second of so many workers. */
    double apply(int workers, Wire wire) throws Exception {
        fill(wire);
        Countdown countdown = new Countdown(rows);
        CqrsReplica replica =
                queue.replica(databaseUrl).workers(workers).listener(countdown).build();
        long start = System.nanoTime();
        try (replica) {
            replica.start();
            countdown.await();
            return Round.perSecond(rows, start);
        }
    }

    private double applyBare() throws Exception {
        fill(Wire.SINGLE);
        long start = System.nanoTime();
        new BareApply(queue.brokerUrl(), databaseUrl, queue.name()).drain(rows);
        return Round.perSecond(rows, start);
    }

    /** Empties the table, fills the queue: each key is created and then updated once, in random order of keys. */
    private void fill(Wire wire) throws SQLException, InterruptedException {
        Databases.empty(databaseUrl, Item.TABLE);
        MessageCodec codec = new MessageCodec();
        Deque<Publisher.Publication> unconfirmed = new ArrayDeque<>();
        try (Publisher publisher = queue.transport().openPublisher()) {
            List<byte[]> bodies = new ArrayList<>();
            for (int i = 0; i < rows; i++) {
                bodies.add(Item.body(codec, Item.change(i, rows)));
                if (bodies.size() == BenchQueue.BATCH || i == rows - 1) {
                    unconfirmed.add(publisher.send(messages(wire, bodies)));
                    bodies.clear();
                }
                // The broker confirms after its disk does: to wait for each batch would be most of the time.
                if (unconfirmed.size() > UNCONFIRMED) {
                    requireConfirmed(unconfirmed.remove());
                }
            }
            while (!unconfirmed.isEmpty()) {
                requireConfirmed(unconfirmed.remove());
            }
        }
    }

    private List<OutgoingMessage> messages(Wire wire, List<byte[]> bodies) {
        Destination to = new Destination.Queue(queue.name());
        if (wire == Wire.BATCH) {
            return List.of(MessageBatch.pack(to, "batch", Map.of(), bodies));
        }
        List<OutgoingMessage> messages = new ArrayList<>();
        for (byte[] body : bodies) {
            messages.add(
                    new OutgoingMessage(to, Integer.toString(messages.size()), OutgoingMessage.SINGLE, Map.of(), body));
        }
        return messages;
    }

    private static void requireConfirmed(Publisher.Publication batch) throws InterruptedException {
        List<PublishOutcome> outcomes = batch.await(Duration.ofSeconds(60));
        if (!outcomes.stream().allMatch(PublishOutcome::isConfirmed)) {
            throw new IllegalStateException("the queue could not be filled: " + outcomes);
        }
    }
}
