package io.cqrs.master.internal.outbox;

import java.util.ArrayList;
import java.util.List;

/** Gathers the messages of one statement: no more than memory, and an array of the database's, should hold. Belongs to one thread. */
final class MessageChunk {

    private static final long MOST_BYTES = 8L << 20;

    private List<OutboxMessage> messages = new ArrayList<>();
    private long bytes;

    /** Says whether a message should go with these; any goes alone. */
    boolean takes(OutboxMessage message) {
        return messages.isEmpty()
                || (messages.size() < JdbcOutbox.CHUNK && bytes + message.body().length <= MOST_BYTES);
    }

    void add(OutboxMessage message) {
        messages.add(message);
        bytes += message.body().length;
    }

    /** Returns what was gathered, and begins anew. */
    List<OutboxMessage> take() {
        List<OutboxMessage> taken = messages;
        messages = new ArrayList<>();
        bytes = 0;
        return taken;
    }
}
