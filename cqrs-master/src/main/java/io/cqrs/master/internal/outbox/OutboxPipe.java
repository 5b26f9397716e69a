package io.cqrs.master.internal.outbox;

import io.cqrs.core.OutboxException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Writes a transaction's messages, a chunk at a time: while the database takes some, the caller makes the next. A helper thread does
 * nothing but wait for statements that the caller prepared and bound; the driver runs one statement of a connection at a
 * time. One chunk waits behind the one that is written, so that a pause of the caller's does not leave the database idle.
 * Closing waits for the last chunk. Belongs to the caller's thread.
 */
public final class OutboxPipe implements AutoCloseable {

    private static final int AHEAD = 2;

    private final JdbcOutbox outbox;
    private final Connection connection;
    private final Executor helper;
    private final MessageChunk chunk = new MessageChunk();
    private boolean used;
    private final Deque<CompletableFuture<Void>> running = new ArrayDeque<>();

    OutboxPipe(JdbcOutbox outbox, Connection connection, Executor helper) {
        this.outbox = outbox;
        this.connection = connection;
        this.helper = helper;
    }

    /**
     * Takes a captured change, and writes those before it in the background where they are enough: an error may come from a
     * later call.
     *
     * @throws OutboxException if the database refuses
     */
    public void add(OutboxMessage message) {
        if (!chunk.takes(message)) {
            write(chunk.take());
        }
        chunk.add(message);
    }

    /**
     * Writes what is left.
     *
     * @param few writes it where it is all that there is
     * @return whether there was anything
     * @throws OutboxException if the database refuses
     */
    public boolean end(Consumer<List<OutboxMessage>> few) {
        List<OutboxMessage> left = chunk.take();
        if (left.isEmpty()) {
            return false;
        }
        if (used) {
            write(left);
        } else {
            few.accept(left);
        }
        return true;
    }

    private void write(List<OutboxMessage> messages) {
        used = true;
        PreparedStatement statement = outbox.prepare(connection, messages);
        CompletableFuture<Void> before =
                running.isEmpty() ? CompletableFuture.completedFuture(null) : running.getLast();
        running.add(before.handleAsync(
                (written, error) -> {
                    execute(statement, error);
                    return null;
                },
                helper));
        awaitAllBut(AHEAD);
    }

    /** Waits for what is still being written. Must be called before the connection is used for anything else. */
    @Override
    public void close() {
        awaitAllBut(0);
    }

    private void awaitAllBut(int ahead) {
        while (running.size() > ahead) {
            try {
                running.remove().join();
            } catch (CompletionException e) {
                running.forEach(later -> later.exceptionally(skipped -> null).join());
                running.clear();
                if (e.getCause() instanceof RuntimeException known) {
                    throw known;
                }
                throw e;
            }
        }
    }

    /** What comes behind a failed one is not tried: the transaction is lost. */
    private void execute(PreparedStatement prepared, @Nullable Throwable before) {
        try (PreparedStatement statement = prepared) {
            if (before != null) {
                throw new CompletionException(before);
            }
            statement.executeUpdate();
        } catch (SQLException e) {
            throw outbox.failure(e);
        }
    }
}
