package io.cqrs.master.internal.outbox;

import io.cqrs.core.OutboxException;
import io.cqrs.core.jdbc.CopyRows;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.postgresql.copy.CopyIn;

/**
 * Writes the messages of a large transaction by COPY: while the database takes some, the caller goes on. A helper thread does
 * nothing but wait for it. A copy has begun before the caller goes on, so the driver has whatever comes next on the connection
 * wait for its end: a rollback, too, which no copy can come behind. Belongs to the caller's thread, and to one transaction.
 */
public final class OutboxPipe {

    private static final int LOAD_BYTES = 1 << 19;
    private static final int CAPACITY = LOAD_BYTES + (1 << 14);

    private final JdbcOutbox outbox;
    private final Connection connection;
    private final Executor helper;
    private final Map<String, Boolean> captured = new HashMap<>();
    private CopyRows filling = new CopyRows(CAPACITY);
    private CopyRows written = new CopyRows(CAPACITY);
    private @Nullable CompletableFuture<Void> copying;

    OutboxPipe(JdbcOutbox outbox, Connection connection, Executor helper) {
        this.outbox = outbox;
        this.connection = connection;
        this.helper = helper;
    }

    /**
     * Says whether a connection gives out the driver's, which COPY needs.
     *
     * @throws OutboxException if the connection can't be asked
     */
    public static boolean suits(Connection connection) {
        try {
            return CopyRows.canUse(connection);
        } catch (SQLException e) {
            throw new OutboxException("the connection could not be looked at: " + e.getMessage(), e);
        }
    }

    /**
     * Writes captured changes, in the background, or with later ones: an error may come from a later call.
     *
     * @throws io.cqrs.core.SerializationException if a value has no form on the wire, naming the entity
     * @throws OutboxException if the database refuses, or a message is too large
     */
    public void write(List<OutboxMessage> messages) {
        for (OutboxMessage message : messages) {
            if (!isCaptured(message.message().change().key().cqrsId().value())) {
                outbox.append(filling, message);
                if (filling.size() >= LOAD_BYTES) {
                    copy();
                }
            }
        }
    }

    /**
     * While a transaction has written rows of a table nobody makes or drops triggers of it: what was read then stays true.
     */
    private boolean isCaptured(String cqrsId) {
        return captured.computeIfAbsent(cqrsId, id -> outbox.isCaptured(connection, id));
    }

    /**
     * Has all written that is not on its way yet, and waits for it.
     *
     * @throws OutboxException if the database refuses
     */
    public void flush() {
        if (filling.size() > 0) {
            copy();
        }
        await();
    }

    /**
     * Waits for what is on its way.
     *
     * @throws OutboxException if the database refuses it
     */
    public void await() {
        CompletableFuture<Void> running = copying;
        copying = null;
        if (running != null) {
            try {
                running.join();
            } catch (CompletionException e) {
                if (e.getCause() instanceof SQLException refused) {
                    throw outbox.failure(refused);
                }
                throw e;
            }
        }
    }

    private void copy() {
        await();
        CopyRows rows = filling;
        filling = written;
        filling.clear();
        written = rows;
        CopyIn copy = outbox.beginCopy(connection);
        try {
            copying = CompletableFuture.runAsync(() -> write(rows, copy), helper);
        } catch (RuntimeException | Error e) {
            // No thread: nobody would end it.
            CopyRows.cancel(copy, e);
            throw e;
        }
    }

    private static void write(CopyRows rows, CopyIn copy) {
        try {
            rows.writeTo(copy);
        } catch (SQLException e) {
            throw new CompletionException(e);
        }
    }
}
