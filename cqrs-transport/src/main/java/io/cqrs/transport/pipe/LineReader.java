package io.cqrs.transport.pipe;

import io.cqrs.core.SerializationException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/** Reads lines of bytes, and knows whether the last one was cut short. Not thread-safe. */
public final class LineReader {

    private static final int BUFFER = 1 << 16;
    /** The longest value of PostgreSQL is 1 GB; nobody's line should come near it. */
    private static final int LONGEST = 256 << 20;

    private final InputStream in;
    private final byte[] buffer = new byte[BUFFER];
    private int position;
    private int limit;
    private long number;
    private boolean ended = true;

    /** Reads a stream, which stays the caller's to close. */
    public LineReader(InputStream in) {
        this.in = in;
    }

    /**
     * Returns the next line without its end, or null after the last.
     *
     * @throws SerializationException if it is longer than 256 MiB
     * @throws IOException if the stream can't be read
     */
    public byte @Nullable [] next() throws IOException {
        if (position == limit && !fill()) {
            return null;
        }
        number++;
        @Nullable ByteArrayOutputStream begun = null;
        while (true) {
            int end = indexOfEnd();
            if (end >= 0) {
                byte[] line = take(begun, end);
                position = end + 1;
                ended = true;
                return line;
            }
            begun = begun == null ? new ByteArrayOutputStream(2 * BUFFER) : begun;
            begun.write(buffer, position, limit - position);
            if (begun.size() > LONGEST) {
                throw new SerializationException("line " + number + " is longer than " + LONGEST + " bytes");
            }
            if (!fill()) {
                ended = false;
                return begun.toByteArray();
            }
        }
    }

    private byte[] take(@Nullable ByteArrayOutputStream begun, int end) {
        if (begun != null) {
            begun.write(buffer, position, end - position);
            return begun.toByteArray();
        }
        byte[] line = new byte[end - position];
        System.arraycopy(buffer, position, line, 0, line.length);
        return line;
    }

    private int indexOfEnd() {
        for (int i = position; i < limit; i++) {
            if (buffer[i] == '\n') {
                return i;
            }
        }
        return -1;
    }

    private boolean fill() throws IOException {
        position = 0;
        limit = Math.max(in.read(buffer), 0);
        return limit > 0;
    }

    /** Returns the number of the line that was read last, from 1. */
    public long number() {
        return number;
    }

    /** Says whether the line that was read last had its end. */
    public boolean hadEnd() {
        return ended;
    }
}
