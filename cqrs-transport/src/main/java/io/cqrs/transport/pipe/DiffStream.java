package io.cqrs.transport.pipe;

import io.cqrs.core.CqrsId;
import io.cqrs.core.SerializationException;
import io.cqrs.transport.JsonText;
import io.cqrs.transport.WireTime;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What one stage of a comparison hands to the next: a first line that says what is compared, then lists.
 *
 * <p>In django-cqrs's form the first line is {@code cqrs_id,timestamp} or {@code cqrs_id,timestamp,queue}, and nothing
 * says which list is the last. In the form of checksums it is a JSON object, and the last line is {@code {"end":N}} with
 * the number of lists. Not thread-safe.
 */
public final class DiffStream {

    private final LineReader lines;
    private final CqrsId cqrsId;
    private final Instant at;
    private final @Nullable String queue;
    private final @Nullable Map<?, ?> header;
    private long lists;
    private boolean ended;

    private DiffStream(
            LineReader lines, CqrsId cqrsId, Instant at, @Nullable String queue, @Nullable Map<?, ?> header) {
        this.lines = lines;
        this.cqrsId = cqrsId;
        this.at = at;
        this.queue = queue;
        this.header = header;
    }

    /**
     * Reads the first line.
     *
     * @return null where there is none: nothing was selected
     * @throws SerializationException if it is none of a comparison
     * @throws IOException if the stream can't be read
     */
    public static @Nullable DiffStream open(InputStream in) throws IOException {
        LineReader lines = new LineReader(in);
        byte[] first = lines.next();
        if (first == null) {
            return null;
        }
        requireEnd(lines);
        String text = new String(first, StandardCharsets.UTF_8).strip();
        try {
            return text.startsWith("{") ? ofChecksums(lines, text) : ofKeys(lines, text);
        } catch (SerializationException | IllegalArgumentException e) {
            throw new SerializationException(
                    "line 1 begins no comparison (" + e.getMessage() + "): a stage reads what the stage before wrote",
                    e);
        }
    }

    private static DiffStream ofKeys(LineReader lines, String text) {
        String[] parts = text.split(",", -1);
        if (parts.length < 2 || parts.length > 3) {
            throw new SerializationException("it is no cqrs_id,timestamp");
        }
        String queue = parts.length == 3 && !parts[2].isEmpty() && !parts[2].equals("None") ? parts[2] : null;
        return new DiffStream(lines, CqrsId.of(parts[0]), WireTime.parse(parts[1]), queue, null);
    }

    private static DiffStream ofChecksums(LineReader lines, String text) {
        if (!(JsonText.read(text) instanceof Map<?, ?> header) || !"checksum".equals(header.get("diff"))) {
            throw new SerializationException("it is no header of checksums");
        }
        Object queue = header.get("queue");
        return new DiffStream(
                lines,
                CqrsId.of(String.valueOf(header.get("cqrs_id"))),
                WireTime.parse(String.valueOf(header.get("at"))),
                queue == null ? null : queue.toString(),
                header);
    }

    private static void requireEnd(LineReader lines) {
        if (!lines.hadEnd()) {
            throw new SerializationException(
                    "line " + lines.number() + " is cut short: the stage before did not end well");
        }
    }

    /** Returns the model. */
    public CqrsId cqrsId() {
        return cqrsId;
    }

    /** Returns when the comparison began, by the clock of the first stage's database. */
    public Instant at() {
        return at;
    }

    /** Returns the replica's queue, or null for all. */
    public @Nullable String queue() {
        return queue;
    }

    /** Says whether it is of checksums. */
    public boolean isOfChecksums() {
        return header != null;
    }

    /**
     * Returns something else of the first line.
     *
     * @throws SerializationException if it is not there
     */
    public Object header(String key) {
        Object value = header == null ? null : header.get(key);
        if (value == null) {
            throw new SerializationException("line 1 has no " + key);
        }
        return value;
    }

    /**
     * Returns the next list, or null after the last.
     *
     * @throws SerializationException if a line is cut short or is no list, or lines are missing; it says which
     * @throws IOException if the stream can't be read
     */
    public @Nullable List<?> next() throws IOException {
        byte[] line = lines.next();
        if (line == null) {
            if (isOfChecksums() && !ended) {
                throw new SerializationException(
                        "the end is missing after line " + lines.number() + ": the stage before did not end well");
            }
            return null;
        }
        requireEnd(lines);
        Object value = read(line);
        if (value instanceof List<?> list && !ended) {
            lists++;
            return list;
        }
        if (value instanceof Map<?, ?> end
                && isOfChecksums()
                && !ended
                && Long.valueOf(lists).equals(end.get("end"))) {
            ended = true;
            return next();
        }
        throw new SerializationException("line " + lines.number() + " is no list");
    }

    private @Nullable Object read(byte[] line) {
        try {
            return JsonText.read(new String(line, StandardCharsets.UTF_8));
        } catch (SerializationException e) {
            throw new SerializationException("line " + lines.number() + " is no list: " + e.getMessage(), e);
        }
    }

    /**
     * Returns the text of a key's parts.
     *
     * @param key as the list had it that was read last
     * @throws SerializationException if it is none, naming the line
     */
    public List<String> key(@Nullable Object key) {
        try {
            return KeyTexts.of(key);
        } catch (SerializationException e) {
            throw new SerializationException("line " + lines.number() + ": " + e.getMessage(), e);
        }
    }

    /** Returns the number of the line that was read last, from 1. */
    public long line() {
        return lines.number();
    }
}
