package io.cqrs.tools.demo;

import io.cqrs.core.Backoff;
import io.cqrs.core.lifecycle.SessionLoop;
import io.cqrs.core.lifecycle.Waiter;
import java.io.PrintWriter;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** Shows a master and a replica at work: once, to compare the end, or live. */
public final class Demo {

    private static final Duration CATCH_UP = Duration.ofMinutes(2);
    private static final int LIVE_KEYS = 1000;

    private final Stage stage;
    private final Tables tables;

    /** Creates a demo on a built stage, which stays the caller's to close. */
    public Demo(Stage stage) {
        this.stage = stage;
        this.tables = new Tables(stage.masterDatabase(), stage.replicaDatabase());
    }

    /**
     * The result of a fixed scenario.
     *
     * @param equal whether the tables ended equal
     * @param rows rows that are equal on both sides
     * @param columns columns compared
     * @param changes committed changes
     * @param seconds from the first change to equality
     * @param summary what was done
     * @param differences rows that differ
     */
    public record Result(
            boolean equal,
            int rows,
            int columns,
            int changes,
            double seconds,
            String summary,
            List<String> differences) {}

    /**
     * Runs the fixed scenario and compares both tables, column by column, once the replica has had the time to follow.
     *
     * @throws SQLException if a database fails
     * @throws InterruptedException if the thread is interrupted
     */
    public Result once(int rows) throws SQLException, InterruptedException {
        stage.start();
        long start = System.nanoTime();
        Writer writer = new Writer(stage.masterSessions(), 1);
        writer.scenario(rows);
        Waiter waiter = new Waiter();
        Tables.Comparison comparison = tables.compare();
        while (!settled(comparison) && System.nanoTime() - start < CATCH_UP.toNanos()) {
            boolean unused = waiter.await(Duration.ofMillis(50));
            comparison = tables.compare();
        }
        return new Result(
                comparison.differences().isEmpty(),
                comparison.equal(),
                Tables.COLUMNS,
                writer.changes(),
                (System.nanoTime() - start) / 1e9,
                writer.summary(),
                comparison.differences());
    }

    /**
     * Writes and follows until the thread is interrupted, and prints a line a second.
     *
     * @throws SQLException if a database fails
     * @throws InterruptedException when it is ended
     */
    public void live(PrintWriter out) throws SQLException, InterruptedException {
        stage.start();
        AtomicLong committed = new AtomicLong();
        Writer writer = new Writer(stage.masterSessions(), System.nanoTime());
        try (SessionLoop writing = new SessionLoop(
                "demo-writer", Backoff.constant(Duration.ofSeconds(1)), Duration.ofSeconds(2), control -> {
                    while (!control.stopping()) {
                        writer.step(LIVE_KEYS);
                        committed.set(writer.changes());
                        boolean unused = control.waiter().await(Duration.ofMillis(1));
                    }
                })) {
            writing.start();
            print(out, committed);
        }
    }

    private void print(PrintWriter out, AtomicLong committed) throws SQLException, InterruptedException {
        out.println("   changes/s   applied/s   behind ms   in outbox   master rows   replica rows");
        Waiter waiter = new Waiter();
        long lastCommitted = 0;
        long lastApplied = 0;
        while (!Thread.currentThread().isInterrupted()) {
            boolean unused = waiter.await(Duration.ofSeconds(1));
            Tables.State state = tables.state();
            long nowCommitted = committed.get();
            long nowApplied = stage.applied();
            out.printf(
                    "%12d%12d%12d%12d%14d%15d%n",
                    nowCommitted - lastCommitted,
                    nowApplied - lastApplied,
                    state.behindMillis(),
                    state.waiting(),
                    state.master(),
                    state.replica());
            out.flush();
            lastCommitted = nowCommitted;
            lastApplied = nowApplied;
        }
    }

    private boolean settled(Tables.Comparison comparison) throws SQLException {
        return comparison.differences().isEmpty() && tables.state().waiting() == 0;
    }
}
