package io.cqrs.transport;

import io.cqrs.core.SerializationException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.Deflater;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * Messages of one model in one: a line each, in their order, larger ones packed by gzip (docs/protocol.md).
 *
 * @param contentType says how to read the body
 * @param body the bytes; not to be changed
 */
public record MessageBatch(String contentType, byte[] body) {

    private static final String PLAIN = "application/vnd.cqrs.batch+ndjson";
    private static final String PACKED = PLAIN + "+gzip";

    private static final byte LINE_END = '\n';
    private static final int WORTH_PACKING = 4 << 10;
    private static final int BUFFER = 64 << 10;
    /** Whatever a packed batch unfolds to must fit the memory. */
    private static final int MOST_BYTES = 64 << 20;

    /**
     * Makes a batch.
     *
     * @param bodies what {@link MessageCodec} writes, one or more. A line end within one, which JSON has only between its
     *     values, becomes a space
     */
    public static MessageBatch of(List<byte[]> bodies) {
        byte[] lines = lines(bodies);
        return lines.length < WORTH_PACKING ? new MessageBatch(PLAIN, lines) : new MessageBatch(PACKED, pack(lines));
    }

    /** Says whether a message of this content type is a batch. */
    public static boolean isBatch(@Nullable String contentType) {
        return PLAIN.equals(contentType) || PACKED.equals(contentType);
    }

    /**
     * Returns the messages, whatever they are; at least one. A line end behind the last is none's.
     *
     * @throws SerializationException if it is packed, and can't be unpacked or would be larger than 64 MiB
     */
    public List<byte[]> bodies() {
        byte[] lines = contentType.equals(PACKED) ? unpack(body) : body;
        List<byte[]> bodies = new ArrayList<>();
        int begin = 0;
        for (int i = 0; i < lines.length; i++) {
            if (lines[i] == LINE_END) {
                bodies.add(Arrays.copyOfRange(lines, begin, i));
                begin = i + 1;
            }
        }
        if (begin < lines.length || bodies.isEmpty()) {
            bodies.add(Arrays.copyOfRange(lines, begin, lines.length));
        }
        return bodies;
    }

    private static byte[] lines(List<byte[]> bodies) {
        int size = bodies.size() - 1;
        for (byte[] body : bodies) {
            size = Math.addExact(size, body.length);
        }
        byte[] lines = new byte[size];
        int end = 0;
        for (int i = 0; i < bodies.size(); i++) {
            if (i > 0) {
                lines[end++] = LINE_END;
            }
            for (byte one : bodies.get(i)) {
                lines[end++] = one == LINE_END ? (byte) ' ' : one;
            }
        }
        return lines;
    }

    private static byte[] pack(byte[] lines) {
        ByteArrayOutputStream packed = new ByteArrayOutputStream(lines.length / 4);
        try (FastGzip gzip = new FastGzip(packed)) {
            gzip.write(lines);
        } catch (IOException e) {
            throw new SerializationException("the batch could not be packed: " + e.getMessage(), e);
        }
        return packed.toByteArray();
    }

    private static byte[] unpack(byte[] packed) {
        try (InputStream gzip = new GZIPInputStream(new ByteArrayInputStream(packed), BUFFER)) {
            byte[] lines = gzip.readNBytes(MOST_BYTES + 1);
            if (lines.length > MOST_BYTES) {
                throw new SerializationException(
                        "the batch is larger than " + MOST_BYTES + " bytes once it is unpacked");
            }
            return lines;
        } catch (IOException e) {
            throw new SerializationException("the batch is no gzip, or cut short: " + e.getMessage(), e);
        }
    }

    /** The fastest level: three times as fast as the usual one, for the last tenth of the size. */
    private static final class FastGzip extends GZIPOutputStream {
        FastGzip(ByteArrayOutputStream out) throws IOException {
            super(out, BUFFER);
            def.setLevel(Deflater.BEST_SPEED);
        }
    }
}
