package io.cqrs.master;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.function.BiConsumer;
import java.util.function.LongConsumer;

/**
 * Writes the rows of a master as django-cqrs does: the model's id, then a line a row with its data as a JSON object, and
 * no line end behind the last. Use once.
 */
public final class BulkDump {

    private final MasterRows rows;
    private BiConsumer<String, Exception> failures = (key, error) -> {};
    private LongConsumer progress = count -> {};

    private BulkDump(MasterRows rows) {
        this.rows = rows;
    }

    /** Begins a dump of these rows, which stay the caller's to close. */
    public static BulkDump of(MasterRows rows) {
        return new BulkDump(Objects.requireNonNull(rows, "rows"));
    }

    /** Sets who is told of rows whose data could not be made, by their keys: they are left out. */
    public BulkDump failures(BiConsumer<String, Exception> value) {
        this.failures = Objects.requireNonNull(value, "failures");
        return this;
    }

    /** Sets who is told, for each row, how many are written. */
    public BulkDump progress(LongConsumer value) {
        this.progress = Objects.requireNonNull(value, "progress");
        return this;
    }

    /**
     * Writes, and flushes.
     *
     * @return how many rows were written, and how many not
     * @throws IOException if the stream can't be written
     * @throws io.cqrs.core.OutboxException if the database refuses or is gone
     */
    public Result to(OutputStream out) throws IOException {
        OutputStream buffered = new BufferedOutputStream(out, 1 << 16);
        buffered.write(rows.cqrsId().value().getBytes(StandardCharsets.UTF_8));
        Sink sink = new Sink(buffered);
        rows.dump(sink);
        sink.end();
        buffered.flush();
        return new Result(sink.written, sink.failed);
    }

    /**
     * What became of the rows.
     *
     * @param written how many are in the dump
     * @param failed how many could not be written
     */
    public record Result(long written, long failed) {}

    private final class Sink implements MasterRows.DumpSink {

        private final OutputStream out;
        private long written;
        private long failed;
        private boolean open;

        private Sink(OutputStream out) {
            this.out = out;
        }

        @Override
        public void row(byte[] data, int length) throws IOException {
            // At once, so that whatever is flushed ends within a line.
            byte[] line = new byte[length + (open ? 1 : 0)];
            int at = 0;
            if (open) {
                line[at++] = '}';
            }
            line[at++] = '\n';
            System.arraycopy(data, 0, line, at, length - 1);
            out.write(line);
            open = true;
            written++;
            progress.accept(written);
        }

        /** The end of a row is held back until more is known: a dump that is cut ends within a line. */
        private void end() throws IOException {
            if (open) {
                out.write('}');
                open = false;
            }
        }

        @Override
        public void failed(String key, Exception error) {
            failed++;
            failures.accept(key, error);
        }
    }
}
