package io.cqrs.master.internal.outbox;

import io.cqrs.core.lifecycle.Waiter;
import io.cqrs.core.schema.CqrsSchema;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Holds a writer of many pages back until the relay has published all but its last two: so what others commit meanwhile
 * waits behind two pages at most, and the outbox stays small. Belongs to one thread.
 */
public final class OutboxWindow {

    private static final int PAGES = 2;
    private static final Duration SHORTEST_POLL = Duration.ofMillis(5);
    private static final Duration LONGEST_POLL = Duration.ofMillis(200);
    private static final Duration REPORT_INTERVAL = Duration.ofSeconds(5);

    private final String exists;
    private final Waiter waiter = new Waiter();
    private final Deque<Long> lasts = new ArrayDeque<>();

    /** Watches this schema's outbox. */
    public OutboxWindow(CqrsSchema schema) {
        this.exists = "select exists (select from " + schema.outbox().sql() + " where id = ?)";
    }

    /** Asks the database something. */
    @FunctionalInterface
    public interface Question {
        /** Returns the answer over this connection. */
        boolean ask(Connection connection) throws SQLException;
    }

    /** Has a question asked on a connection, outside of any transaction that lasts. */
    @FunctionalInterface
    public interface Asker {
        /** Returns the answer. */
        boolean ask(Question question);
    }

    /** Takes note of a page by the number of its last message, or null where it had none. */
    public void written(@Nullable Long last) {
        if (last != null) {
            lasts.add(last);
        }
    }

    /**
     * Waits until there is room for another page.
     *
     * @param waiting told every five seconds that there is none yet
     */
    public void await(Asker asker, Runnable waiting) throws InterruptedException {
        Duration poll = SHORTEST_POLL;
        long reported = System.nanoTime();
        while (lasts.size() >= PAGES) {
            if (!asker.ask(this::isWaiting)) {
                lasts.remove();
                continue;
            }
            if (System.nanoTime() - reported > REPORT_INTERVAL.toNanos()) {
                reported = System.nanoTime();
                waiting.run();
            }
            boolean unused = waiter.await(poll);
            poll = poll.multipliedBy(2).compareTo(LONGEST_POLL) > 0 ? LONGEST_POLL : poll.multipliedBy(2);
        }
    }

    private boolean isWaiting(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(exists)) {
            statement.setLong(1, lasts.element());
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return row.getBoolean(1);
            }
        }
    }
}
