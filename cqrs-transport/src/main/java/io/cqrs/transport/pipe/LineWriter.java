package io.cqrs.transport.pipe;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** Writes lines of text in UTF-8, each with its end. Not thread-safe. */
public final class LineWriter {

    private final OutputStream out;
    private long count;

    /** Writes to a stream, which stays the caller's to close. */
    public LineWriter(OutputStream out) {
        this.out = new BufferedOutputStream(out, 1 << 16);
    }

    /** Writes a line, and lets the next stage have it. */
    public void write(String line) throws IOException {
        out.write(line.getBytes(StandardCharsets.UTF_8));
        out.write('\n');
        out.flush();
        count++;
    }

    /** Returns how many lines were written. */
    public long count() {
        return count;
    }
}
