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

/** Packs messages of one model in one: a line each, in their order, larger ones by gzip (docs/protocol.md). Stateless. */
public final class MessageBatch {

    private static final String PLAIN = "application/vnd.cqrs.batch+ndjson";
    private static final String PACKED = PLAIN + "+gzip";

    private static final byte LINE_END = '\n';
    private static final int WORTH_PACKING = 4 << 10;
    private static final int BUFFER = 64 << 10;
    /** Whatever a packed batch unfolds to must fit the memory. */
    private static final int MOST_BYTES = 64 << 20;

    private MessageBatch() {}

    /**
     * Makes one message of several; of a single one, itself.
     *
     * @param to where all go
     * @param id the message's
     * @param headers those of each
     * @param bodies what {@link MessageCodec} writes, one or more. A line end within one, which JSON has only between its
     *     values, becomes a space
     */
    public static OutgoingMessage pack(Destination to, String id, Map<String, Object> headers, List<byte[]> bodies) {
        if (bodies.size() == 1) {
            return new OutgoingMessage(to, id, OutgoingMessage.SINGLE, headers, bodies.get(0));
        }
        byte[] lines = lines(bodies);
        boolean packed = lines.length >= WORTH_PACKING;
        Map<String, Object> all = new HashMap<>(headers);
        all.put(Headers.CHANGES, bodies.size());
        all.put(Headers.BYTES, lines.length);
        return new OutgoingMessage(to, id, packed ? PACKED : PLAIN, all, packed ? gzip(lines) : lines);
    }

    /**
     * Returns the messages of a batch, in their order, as if each had come alone, whatever they are; what is no batch
     * comes back as it is. At least one: a line end behind the last is none's.
     *
     * @throws SerializationException if it is packed, and can't be unpacked or would be larger than 64 MiB
     */
    public static List<Delivery> open(Delivery delivery) {
        boolean packed = PACKED.equals(delivery.contentType());
        if (!packed && !PLAIN.equals(delivery.contentType())) {
            return List.of(delivery);
        }
        Map<String, Object> headers = new HashMap<>(delivery.headers());
        Object unusedCount = headers.remove(Headers.CHANGES);
        Object unusedSize = headers.remove(Headers.BYTES);
        List<Delivery> messages = new ArrayList<>();
        for (byte[] body : bodies(packed ? gunzip(delivery.body()) : delivery.body())) {
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

    private static List<byte[]> bodies(byte[] lines) {
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

    private static byte[] gzip(byte[] lines) {
        ByteArrayOutputStream packed = new ByteArrayOutputStream(lines.length / 4);
        try (FastGzip gzip = new FastGzip(packed)) {
            gzip.write(lines);
        } catch (IOException e) {
            throw new SerializationException("the batch could not be packed: " + e.getMessage(), e);
        }
        return packed.toByteArray();
    }

    private static byte[] gunzip(byte[] packed) {
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
