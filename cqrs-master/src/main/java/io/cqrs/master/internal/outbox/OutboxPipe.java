package io.cqrs.master.internal.outbox;

import io.cqrs.core.OutboxException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Writes the chunks of a large transaction: while the database takes one, the caller makes the next. A helper thread does
 * nothing but wait for a statement that the caller prepared and bound; the driver runs one statement of a connection at a
 * time. Closing waits for the last chunk. Belongs to the caller's thread.
 */
public final class OutboxPipe implements AutoCloseable {

    private final JdbcOutbox outbox;
    private final Connection connection;
    private final Executor helper;
    private @Nullable CompletableFuture<Void> running;

    OutboxPipe(JdbcOutbox outbox, Connection connection, Executor helper) {
        this.outbox = outbox;
        this.connection = connection;
        this.helper = helper;
    }

    /**
     * Writes a chunk of captured changes, in the background: an error may come from a later call.
     *
     * @throws io.cqrs.core.SerializationException if a value has no form on the wire, naming the entity
     * @throws OutboxException if the database refuses, or a message is too large
     */
    public void write(List<OutboxMessage> messages) {
        PreparedStatement statement = outbox.prepare(connection, messages);
        try {
            await();
        } catch (RuntimeException e) {
            JdbcOutbox.close(statement, e);
            throw e;
        }
        running = CompletableFuture.runAsync(() -> execute(statement), helper);
    }

    /** Waits for what is still being written. Must be called before the connection is used for anything else. */
    @Override
    public void close() {
        await();
    }

    private void await() {
        CompletableFuture<Void> last = running;
        running = null;
        if (last != null) {
            try {
                last.join();
            } catch (CompletionException e) {
                if (e.getCause() instanceof RuntimeException known) {
                    throw known;
                }
                throw e;
            }
        }
    }

    private void execute(PreparedStatement prepared) {
        try (PreparedStatement statement = prepared) {
            statement.executeUpdate();
        } catch (SQLException e) {
            throw outbox.failure(e);
        }
    }
}
