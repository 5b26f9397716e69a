package io.cqrs.benchmarks;

import io.cqrs.tools.servers.Servers;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongFunction;

/** What Hibernate's capture costs: the same inserts with and without it. */
final class CaptureBench implements Bench {

    static final int WRITERS = 16;

    private final String databaseUrl;
    private final StockUnit unit;
    private final int rows;
    private final AtomicLong ids = new AtomicLong();

    private CaptureBench(String databaseUrl, int rows) {
        this.databaseUrl = databaseUrl;
        this.unit = StockUnit.open(databaseUrl, WRITERS + 2);
        this.rows = rows;
    }

    static CaptureBench build(Servers servers, int rows) {
        return new CaptureBench(Databases.create(servers, "bench_capture"), rows);
    }

    @Override
    public List<Measure> measures() {
        return List.of(
                new Measure(
                        "writers",
                        "commits/s",
                        List.of(
                                "writers " + WRITERS,
                                "one insert a transaction",
                                "commits " + rows,
                                Databases.durability(databaseUrl),
                                "floor without capture"),
                        () -> commits(CaptureBench::captured),
                        () -> commits(CaptureBench::plain)),
                new Measure(
                        "batch-insert",
                        "rows/s",
                        List.of(
                                "rows " + rows,
                                "one transaction",
                                Databases.durability(databaseUrl),
                                "hibernate.jdbc.batch_size " + StockUnit.JDBC_BATCH,
                                "floor without capture"),
                        () -> batchInsert(CaptureBench::captured),
                        () -> batchInsert(CaptureBench::plain)));
    }

    @Override
    public void close() {
        unit.close();
    }

    private void empty() throws SQLException {
        Databases.execute(databaseUrl, "truncate CapturedStock, PlainStock, cqrs.outbox; checkpoint");
    }

    private static Object captured(long id) {
        return new Stock.Captured(id);
    }

    private static Object plain(long id) {
        return new Stock.Plain(id);
    }

    /** Commits of one insert each, by concurrent writers. */
    private double commits(LongFunction<Object> entity) throws Exception {
        empty();
        ExecutorService writers = Executors.newFixedThreadPool(WRITERS);
        try {
            long start = System.nanoTime();
            List<Future<?>> running = new ArrayList<>();
            for (int writer = 0; writer < WRITERS; writer++) {
                running.add(writers.submit(() -> {
                    for (int i = 0; i < rows / WRITERS; i++) {
                        Object one = entity.apply(ids.incrementAndGet());
                        unit.sessions().inTransaction(session -> session.persist(one));
                    }
                }));
            }
            for (Future<?> one : running) {
                Object unused = one.get();
            }
            return Round.perSecond(rows / WRITERS * WRITERS, start);
        } finally {
            writers.shutdownNow();
        }
    }

    /** One transaction of many inserts, batched by Hibernate. */
    private double batchInsert(LongFunction<Object> entity) throws Exception {
        empty();
        long start = System.nanoTime();
        unit.sessions().inTransaction(session -> {
            for (int i = 1; i <= rows; i++) {
                session.persist(entity.apply(ids.incrementAndGet()));
                if (i % StockUnit.JDBC_BATCH == 0) {
                    session.flush();
                    session.clear();
                }
            }
        });
        return Round.perSecond(rows, start);
    }
}
