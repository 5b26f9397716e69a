package io.cqrs.transport;

import io.cqrs.core.SerializationException;
import io.cqrs.transport.spi.Delivery;
import io.cqrs.transport.spi.Destination;
import io.cqrs.transport.spi.OutgoingMessage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.Deflater;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/** Packs messages of one model in one: a line each, in their order, larger ones by gzip (docs/protocol.md). Stateless. */
public final class MessageBatch {

    private static final String PLAIN = "application/vnd.cqrs.batch+ndjson";
    private static final String PACKED = PLAIN + "+gzip";

    private static final byte LINE_END = '\n';
    private static final int WORTH_PACKING = 4 << 10;
    /** The share of its bytes that a batch has to come down to: others are packed in vain. */
    private static final double WORTH_UNPACKING = 0.8;

    private static final int BUFFER = 64 << 10;
    /** Whatever a batch unfolds to must fit the memory. */
    private static final int MOST_BYTES = 64 << 20;
    /** The most messages of a batch, twenty times what the relay packs: line ends alone must not become a million dead letters. */
    public static final int MOST_CHANGES = 10_000;

    private MessageBatch() {}

    /**
     * Makes one message of several; of a single one, itself.
     *
     * @param to where all go
     * @param id the message's
     * @param headers those of each
     * @param bodies what {@link MessageCodec} writes, one or more. A line end within one, which JSON has only between its
     *     values, becomes a space, and so does one that is empty
     */
    public static OutgoingMessage pack(Destination to, String id, Map<String, Object> headers, List<byte[]> bodies) {
        if (bodies.size() == 1) {
            return new OutgoingMessage(to, id, OutgoingMessage.SINGLE, headers, bodies.get(0));
        }
        byte[] lines = lines(bodies);
        byte[] gzip = lines.length >= WORTH_PACKING ? gzip(lines) : lines;
        boolean packed = gzip.length < lines.length * WORTH_UNPACKING;
        Map<String, Object> all = new HashMap<>(headers);
        all.put(Headers.CHANGES, bodies.size());
        all.put(Headers.BYTES, lines.length);
        return new OutgoingMessage(to, id, packed ? PACKED : PLAIN, all, packed ? gzip : lines);
    }

    /**
     * Returns the messages of a batch, in their order, as if each had come alone, whatever they are; what is no batch
     * comes back as it is. At least one: a line end behind the last is none's.
     *
     * @throws SerializationException if it can't be unpacked, would be larger than 64 MiB, has more than 10,000 messages or
     *     more values than a single one may have, or is not of the size and number that its headers say, by which the memory
     *     for it was reckoned
     */
    public static List<Delivery> open(Delivery delivery) {
        if (!isBatch(delivery.contentType())) {
            return List.of(delivery);
        }
        boolean packed = PACKED.equals(delivery.contentType());
        Map<String, Object> headers = new HashMap<>(delivery.headers());
        Object count = headers.remove(Headers.CHANGES);
        Object size = headers.remove(Headers.BYTES);
        byte[] lines = packed ? gunzip(delivery.body(), size) : delivery.body();
        requireFit(lines.length);
        requireFewValues(lines);
        List<Delivery> messages = new ArrayList<>();
        for (byte[] body : bodies(lines, count)) {
            messages.add(new Delivery(
                    delivery.tag(),
                    delivery.messageId(),
                    OutgoingMessage.SINGLE,
                    delivery.routingKey(),
                    headers,
                    body));
        }
        return messages;
    }

    /** Says whether a message of this content type is one of several. */
    public static boolean isBatch(@Nullable String contentType) {
        return PACKED.equals(contentType) || PLAIN.equals(contentType);
    }

    private static void requireFit(long bytes) {
        if (bytes > MOST_BYTES) {
            throw new SerializationException("the batch is larger than " + MOST_BYTES + " bytes once it is unpacked");
        }
    }

    /** A value has its own sign before it, outside of texts: what has no more bytes than that can't have too many. */
    private static void requireFewValues(byte[] lines) {
        if (lines.length <= JsonValues.MAX_TOKENS) {
            return;
        }
        int values = 0;
        boolean text = false;
        for (int i = 0; i < lines.length; i++) {
            byte one = lines[i];
            if (text && one == '\\') {
                i++;
            } else if (one == '"') {
                text = !text;
            } else if (!text && (one == '{' || one == '[' || one == ',' || one == ':')) {
                values++;
            }
        }
        if (values > JsonValues.MAX_TOKENS) {
            throw new SerializationException("the batch has more than " + JsonValues.MAX_TOKENS
                    + " values and names, as many as one message may have");
        }
    }

    private static List<byte[]> bodies(byte[] lines, @Nullable Object told) {
        int count = count(lines);
        if (count > MOST_CHANGES) {
            throw new SerializationException("the batch has more than " + MOST_CHANGES + " messages");
        }
        if (told != null && !(told instanceof Number expected && expected.longValue() == count)) {
            throw new SerializationException(
                    "the batch has " + count + " messages, not the number of its header " + Headers.CHANGES);
        }
        List<byte[]> bodies = new ArrayList<>(count);
        int begin = 0;
        for (int i = 0; i < lines.length; i++) {
            if (lines[i] == LINE_END) {
                bodies.add(Arrays.copyOfRange(lines, begin, i));
                begin = i + 1;
            }
        }
        if (bodies.size() < count) {
            bodies.add(Arrays.copyOfRange(lines, begin, lines.length));
        }
        return bodies;
    }

    /** A line end behind the last line is none's. */
    private static int count(byte[] lines) {
        int ends = 0;
        for (byte one : lines) {
            ends += one == LINE_END ? 1 : 0;
        }
        return lines.length > 0 && lines[lines.length - 1] == LINE_END ? ends : ends + 1;
    }

    private static byte[] lines(List<byte[]> bodies) {
        int size = bodies.size() - 1;
        for (byte[] body : bodies) {
            size = Math.addExact(size, Math.max(1, body.length));
        }
        byte[] lines = new byte[size];
        int end = 0;
        for (int i = 0; i < bodies.size(); i++) {
            if (i > 0) {
                lines[end++] = LINE_END;
            }
            byte[] body = bodies.get(i);
            if (body.length == 0) {
                // An empty last line would be none.
                lines[end++] = ' ';
            }
            for (byte one : body) {
                lines[end++] = one == LINE_END ? (byte) ' ' : one;
            }
        }
        return lines;
    }

    private static byte[] gzip(byte[] lines) {
        ByteArrayOutputStream packed = new ByteArrayOutputStream(lines.length / 4);
        try (FastGzip gzip = new FastGzip(packed)) {
            gzip.write(lines);
        } catch (IOException e) {
            throw new SerializationException("the batch could not be packed: " + e.getMessage(), e);
        }
        return packed.toByteArray();
    }

    private static byte[] gunzip(byte[] packed, @Nullable Object size) {
        if (!(size instanceof Number told)) {
            throw new SerializationException(
                    "the batch is packed and has no header " + Headers.BYTES + " with how many bytes it has unpacked");
        }
        requireFit(told.longValue());
        int expected = (int) Math.max(told.longValue(), -1);
        try (InputStream gzip = new GZIPInputStream(new ByteArrayInputStream(packed), BUFFER)) {
            byte[] lines = gzip.readNBytes(Math.max(expected, 0) + 1);
            if (lines.length != expected) {
                throw new SerializationException("the batch has " + (lines.length < expected ? "fewer" : "more")
                        + " than the " + expected + " bytes of its header " + Headers.BYTES + " once it is unpacked");
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
