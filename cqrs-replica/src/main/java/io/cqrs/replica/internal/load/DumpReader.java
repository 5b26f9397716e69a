package io.cqrs.replica.internal.load;

import io.cqrs.core.ReplicationException;
import io.cqrs.core.SerializationException;
import io.cqrs.transport.pipe.LineReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Reads a dump's lines by a thread of its own, a batch ahead of the one who writes them. A batch ends by its bytes, too, so
 * that memory stays bounded.
 */
final class DumpReader<S> implements AutoCloseable {

    private static final int MOST_BYTES = 4 << 20;

    private final LineReader lines;
    private final Function<byte[], S> decoder;
    private final int batchSize;
    private final BlockingQueue<Batch<S>> batches = new ArrayBlockingQueue<>(1);
    private final Thread thread = new Thread(this::run, "cqrs-load-reader");

    DumpReader(LineReader lines, Function<byte[], S> decoder, int batchSize) {
        this.lines = lines;
        this.decoder = decoder;
        this.batchSize = batchSize;
        thread.setDaemon(true);
        thread.start();
    }

    /**
     * A line.
     *
     * @param number its number
     * @param text its bytes
     * @param state what it holds, or null where it holds no state
     * @param reason why not, or null
     */
    record Line<S>(
            long number,
            byte[] text,
            @Nullable S state,
            @Nullable String reason) {}

    /** Lines; none after the last, unless reading failed. */
    private record Batch<S>(List<Line<S>> lines, @Nullable Throwable error) {}

    /**
     * Returns the next lines, none after the last.
     *
     * @throws IOException if the stream can't be read
     */
    List<Line<S>> next() throws IOException, InterruptedException {
        Batch<S> batch = batches.take();
        @Nullable Throwable error = batch.error();
        if (error instanceof IOException) {
            throw new IOException("the dump can't be read: " + error.getMessage(), error);
        }
        if (error instanceof Error fatal) {
            throw fatal;
        }
        if (error != null) {
            throw new SerializationException("the dump can't be read: " + error.getMessage(), error);
        }
        return batch.lines();
    }

    private void run() {
        try {
            List<Line<S>> batch;
            do {
                batch = read();
                batches.put(new Batch<>(batch, null));
            } while (!batch.isEmpty());
        } catch (IOException | RuntimeException | Error e) {
            fail(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void fail(Throwable error) {
        try {
            batches.put(new Batch<>(List.of(), error));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private List<Line<S>> read() throws IOException {
        List<Line<S>> batch = new ArrayList<>();
        long bytes = 0;
        while (batch.size() < batchSize && bytes < MOST_BYTES) {
            byte[] text = lines.next();
            if (text == null) {
                return batch;
            }
            if (text.length > 0) {
                bytes += text.length;
                batch.add(line(text));
            }
        }
        return batch;
    }

    private Line<S> line(byte[] text) {
        try {
            return new Line<>(lines.number(), text, decoder.apply(text), null);
        } catch (SerializationException | ReplicationException e) {
            return new Line<>(lines.number(), text, null, String.valueOf(e.getMessage()));
        }
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
