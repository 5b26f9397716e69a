package io.cqrs.benchmarks;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.MessageProperties;
import io.cqrs.master.CqrsRelay;
import io.cqrs.tools.servers.Servers;
import io.cqrs.transport.MessageCodec;
import io.cqrs.transport.RoutingKeys;
import io.cqrs.transport.Wire;
import java.util.ArrayList;
import java.util.List;

/** The relay, reading and deleting the outbox included, beside bare publishing of the same bytes from memory. */
final class PublishBench implements Bench {

    private static final int PAGE = 1000;

    private final BenchQueue queue;
    private final String databaseUrl;
    private final int rows;

    private PublishBench(BenchQueue queue, String databaseUrl, int rows) {
        this.queue = queue;
        this.databaseUrl = databaseUrl;
        this.rows = rows;
    }

    static PublishBench build(Servers servers, int rows, String queueType) throws Exception {
        return new PublishBench(BenchQueue.open(servers, queueType), Databases.create(servers, "bench_publish"), rows);
    }

    @Override
    public List<Measure> measures() {
        return List.of(measure("publish-single", Wire.SINGLE), measure("publish-batch", Wire.BATCH));
    }

    private Measure measure(String name, Wire wire) {
        List<String> conditions = new ArrayList<>(conditions());
        conditions.add("floor one row a message, from memory");
        return new Measure(name, "rows/s", List.copyOf(conditions), () -> relay(wire), this::publishBare);
    }

    /** Returns what holds for all ways to publish. */
    List<String> conditions() {
        return List.of(
                "rows " + rows,
                queue.condition(),
                "persistent messages",
                "at most " + 2 * PAGE + " rows without their confirm",
                Databases.durability(databaseUrl),
                "the relay's deletes don't wait for the disk");
    }

    @Override
    public void close() throws InterruptedException {
        queue.close();
    }

    /** Fills the outbox, has the database do what that leaves for later, and returns the relay's rows a second. */
    double relayWaiting(Wire wire) throws Exception {
        Outbox.fill(databaseUrl, rows, i -> Item.change(i, rows));
        Databases.execute(databaseUrl, "vacuum cqrs.outbox");
        Databases.execute(databaseUrl, "checkpoint");
        return drain(wire);
    }

    private double relay(Wire wire) throws Exception {
        Outbox.fill(databaseUrl, rows, i -> Item.change(i, rows));
        return drain(wire);
    }

    private double drain(Wire wire) throws Exception {
        queue.purge();
        Countdown countdown = new Countdown(rows);
        CqrsRelay relay = queue.relay(databaseUrl)
                .pageSize(PAGE)
                .wire(wire)
                .listener(countdown)
                .build();
        long start = System.nanoTime();
        try (relay) {
            relay.start();
            countdown.await();
            return Round.perSecond(rows, start);
        }
    }

    private double publishBare() throws Exception {
        queue.purge();
        MessageCodec codec = new MessageCodec();
        byte[][] bodies = new byte[rows][];
        for (int i = 0; i < rows; i++) {
            bodies[i] = Item.body(codec, Item.change(i, rows));
        }
        long start = System.nanoTime();
        try (Connection broker = BenchQueue.connect(queue.brokerUrl());
                Channel channel = broker.createChannel()) {
            BarePublish publish = new BarePublish(channel, 2 * PAGE);
            for (byte[] body : bodies) {
                publish.send(
                        queue.transport().config().exchange(),
                        RoutingKeys.toAll(Item.ID),
                        MessageProperties.PERSISTENT_TEXT_PLAIN,
                        body);
            }
            publish.await();
            return Round.perSecond(rows, start);
        }
    }
}
