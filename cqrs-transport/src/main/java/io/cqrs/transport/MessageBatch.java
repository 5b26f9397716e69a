package io.cqrs.transport;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Messages of one model in one: a line each, in their order (docs/protocol.md). Stateless. */
public final class MessageBatch {

    /** The content type of a batch. */
    public static final String CONTENT_TYPE = "application/vnd.cqrs.batch+ndjson";

    private static final byte LINE_END = '\n';

    private MessageBatch() {}

    /**
     * Packs messages.
     *
     * @param bodies what {@link MessageCodec} writes, one or more. A line end within one, which JSON has only between its
     *     values, becomes a space
     */
    public static byte[] pack(List<byte[]> bodies) {
        int size = bodies.size() - 1;
        for (byte[] body : bodies) {
            size = Math.addExact(size, body.length);
        }
        byte[] batch = new byte[size];
        int end = 0;
        for (byte[] body : bodies) {
            if (end > 0) {
                batch[end++] = LINE_END;
            }
            for (byte one : body) {
                batch[end++] = one == LINE_END ? (byte) ' ' : one;
            }
        }
        return batch;
    }

    /** Returns the messages of a batch, whatever they are; at least one. A line end behind the last is none's. */
    public static List<byte[]> unpack(byte[] batch) {
        List<byte[]> bodies = new ArrayList<>();
        int begin = 0;
        for (int i = 0; i < batch.length; i++) {
            if (batch[i] == LINE_END) {
                bodies.add(Arrays.copyOfRange(batch, begin, i));
                begin = i + 1;
            }
        }
        if (begin < batch.length || bodies.isEmpty()) {
            bodies.add(Arrays.copyOfRange(batch, begin, batch.length));
        }
        return bodies;
    }
}
