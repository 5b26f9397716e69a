package io.cqrs.benchmarks;

import io.cqrs.core.Change;
import io.cqrs.master.CqrsRelay;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.tools.servers.Servers;
import io.cqrs.transport.Wire;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * How the cost of a change grows with its columns and its bytes: rows with ten times as many beside rows with a tenth, from
 * the outbox through relay, queue and worker into the table. 1 is linear, and above 1 is what a row costs whatever is in it.
 */
final class ShapesBench implements Bench {

    private static final int TIMES = 10;
    private static final int SHORT = 10;
    private static final int MOST_BYTES = 200_000_000;
    private static final String LETTERS = letters(1 << 20);

    private final BenchQueue queue;
    private final String masterUrl;
    private final String replicaUrl;
    private final int rows;

    private ShapesBench(BenchQueue queue, String masterUrl, String replicaUrl, int rows) {
        this.queue = queue;
        this.masterUrl = masterUrl;
        this.replicaUrl = replicaUrl;
        this.rows = rows;
    }

    static ShapesBench build(Servers servers, int rows, String queueType) throws Exception {
        return new ShapesBench(
                BenchQueue.open(servers, queueType),
                Databases.create(servers, "bench_shapes_master"),
                Databases.create(servers, "bench_shapes_replica"),
                rows);
    }

    @Override
    public List<Measure> measures() {
        return List.of(
                columns(10), columns(50), bytes("row-1k", 1000), bytes("row-10k", 10_000), bytes("row-100k", 100_000));
    }

    @Override
    public void close() throws InterruptedException {
        queue.close();
    }

    private Measure columns(int columns) {
        int count = Math.min(rows, MOST_BYTES / (columns * 3 * SHORT)); // a column's name and quotes are twice its text
        Shape many = new Shape(columns, SHORT, count);
        Shape few = new Shape(columns / TIMES, SHORT, count);
        return new Measure(
                "columns-" + columns,
                "values/s",
                conditions(columns + " text columns beside " + columns / TIMES, "the same " + count + " rows"),
                () -> many.columns * move(many),
                () -> few.columns * move(few));
    }

    /** The small rows are as many as may be, the large ones a tenth of them. */
    private Measure bytes(String name, int bytes) {
        int count = Math.min(rows, MOST_BYTES / bytes * TIMES);
        Shape large = new Shape(1, bytes, count / TIMES);
        Shape small = new Shape(1, bytes / TIMES, count);
        return new Measure(
                name,
                "KB/s",
                conditions(
                        bytes + " B a row beside " + bytes / TIMES,
                        "the same bytes: " + large.rows + " rows beside " + small.rows),
                () -> large.bytes / 1000.0 * move(large),
                () -> small.bytes / 1000.0 * move(small));
    }

    private List<String> conditions(String sides, String same) {
        return List.of(
                sides,
                same,
                "random letters",
                queue.condition(),
                "batch " + BenchQueue.BATCH,
                "1 worker",
                "one change a message",
                Databases.durability(replicaUrl));
    }

    /** Has rows wait in the outbox, and returns how many a second get into the table. */
    private double move(Shape shape) throws Exception {
        queue.purge();
        Databases.empty(replicaUrl, shape.table());
        Outbox.fill(masterUrl, shape.rows, shape::change);
        // What was written to fill is on the disk before the time is taken.
        Databases.execute(masterUrl, "checkpoint");
        Countdown countdown = new Countdown(shape.rows);
        CqrsReplica replica = queue.replica(replicaUrl).listener(countdown).build();
        CqrsRelay relay = queue.relay(masterUrl).wire(Wire.SINGLE).build();
        try (replica;
                relay) {
            replica.start();
            long start = System.nanoTime();
            relay.start();
            countdown.await();
            return Round.perSecond(shape.rows, start);
        }
    }

    private static String letters(int count) {
        return new Random(1)
                .ints(count, 'a', 'z' + 1)
                .mapToObj(Character::toString)
                .collect(Collectors.joining());
    }

    /**
     * What rows look like beside key, revision and time.
     *
     * @param columns all of them texts
     * @param bytes of each text
     * @param rows how many, all of them new
     */
    private record Shape(int columns, int bytes, int rows) {

        private String table() {
            return IntStream.range(0, columns)
                    .mapToObj(column -> "text_" + column + " text, ")
                    .collect(Collectors.joining(
                            "",
                            "create table item (id bigint primary key, ",
                            "cqrs_revision bigint not null, cqrs_updated timestamptz not null)"));
        }

        private Change change(int i) {
            SplittableRandom random = new SplittableRandom(i);
            Map<String, Object> data = new LinkedHashMap<>();
            data.put("id", (long) i);
            for (int column = 0; column < columns; column++) {
                int from = random.nextInt(LETTERS.length() - bytes);
                data.put("text_" + column, LETTERS.substring(from, from + bytes));
            }
            return Item.save(i, 0, data);
        }
    }
}
