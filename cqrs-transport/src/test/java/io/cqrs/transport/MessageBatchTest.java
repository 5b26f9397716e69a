package io.cqrs.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.entry;

import io.cqrs.core.CqrsId;
import io.cqrs.core.SerializationException;
import io.cqrs.transport.spi.Delivery;
import io.cqrs.transport.spi.Destination;
import io.cqrs.transport.spi.OutgoingMessage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;

class MessageBatchTest {

    private static final Destination TO = new Destination.Exchange("item");
    private static final String PLAIN = "application/vnd.cqrs.batch+ndjson";
    private static final String PACKED = "application/vnd.cqrs.batch+ndjson+gzip";

    @Test
    void givesBackWhatWasPutInAMessageALine() {
        OutgoingMessage batch = pack(bytes("{\"a\":\n1}"), bytes("ä"), bytes("{}"));
        assertThat(batch.contentType()).isEqualTo(PLAIN);
        assertThat(new String(batch.body(), StandardCharsets.UTF_8)).isEqualTo("{\"a\": 1}\nä\n{}");
        assertThat(texts(batch)).containsExactly("{\"a\": 1}", "ä", "{}");
        assertThat(texts(pack(bytes(""), bytes("b"), bytes("")))).containsExactly(" ", "b", " ");
    }

    @Test
    void countsWhatIsInABatchAndTellsItsMessagesNothingOfIt() {
        OutgoingMessage batch = MessageBatch.pack(TO, "7", Map.of("h", "x"), List.of(bytes("1"), bytes("2")));
        assertThat(batch.headers()).containsOnly(entry("h", "x"), entry("cqrs-changes", 2), entry("cqrs-bytes", 3));
        assertThat(delivery(batch).changes()).isEqualTo(2);
        assertThat(MessageBatch.open(delivery(batch))).hasSize(2).allSatisfy(one -> {
            assertThat(one.tag()).isEqualTo(9);
            assertThat(one.messageId()).isEqualTo("7");
            assertThat(one.contentType()).isEqualTo("text/plain");
            assertThat(one.routingKey()).isEqualTo("item");
            assertThat(one.headers()).containsOnly(entry("h", "x"));
        });
    }

    @Test
    void leavesOneAloneAsItIs() {
        OutgoingMessage alone = pack(bytes("al\none"));
        assertThat(alone.contentType()).isEqualTo("text/plain");
        assertThat(alone.headers()).isEmpty();
        assertThat(texts(alone)).containsExactly("al\none");
        Delivery unnamed = new Delivery(1, null, null, "item", Map.of(), bytes("a\nb"));
        assertThat(MessageBatch.open(unnamed)).containsExactly(unnamed);
    }

    @Test
    void packsWhatIsLarge() {
        List<byte[]> bodies = Collections.nCopies(500, bytes("{\"name\":\"a name like others\"}"));
        OutgoingMessage batch = MessageBatch.pack(TO, "1", Map.of(), bodies);
        assertThat(batch.contentType()).isEqualTo(PACKED);
        assertThat(batch.body().length).isLessThan(1000);
        assertThat(MessageBatch.open(delivery(batch)))
                .hasSize(500)
                .allSatisfy(one -> assertThat(one.body()).isEqualTo(bodies.get(0)));
    }

    @Test
    void leavesAsItIsWhatPackingDoesNotMakeSmaller() {
        Random random = new Random(7);
        List<byte[]> bodies = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            byte[] body = new byte[200];
            for (int at = 0; at < body.length; at++) {
                body[at] = (byte) (11 + random.nextInt(240));
            }
            bodies.add(body);
        }
        OutgoingMessage batch = MessageBatch.pack(TO, "1", Map.of(), bodies);
        assertThat(batch.contentType()).isEqualTo(PLAIN);
        assertThat(MessageBatch.open(delivery(batch)))
                .extracting(Delivery::body)
                .containsExactlyElementsOf(bodies);
    }

    @Test
    void opensWhateverComes() {
        assertThat(texts(PLAIN, bytes("a\nb\n"))).containsExactly("a", "b");
        assertThat(texts(PLAIN, bytes("a\n\nb"))).containsExactly("a", "", "b");
        assertThat(texts(PLAIN, bytes(""))).containsExactly("");
        assertThat(texts(PLAIN, bytes("\n"))).containsExactly("");
    }

    @Test
    void refusesWhatDoesNotUnpack() throws IOException {
        OutgoingMessage packed = MessageBatch.pack(TO, "1", Map.of(), Collections.nCopies(500, bytes("0123456789")));
        byte[] whole = packed.body();
        assertThatExceptionOfType(SerializationException.class)
                .isThrownBy(() -> texts(PACKED, packed.headers(), Arrays.copyOf(whole, whole.length / 2)))
                .withMessageContaining("cut short");
        assertThatExceptionOfType(SerializationException.class)
                .isThrownBy(() -> texts(PACKED, Map.of("cqrs-bytes", 2), bytes("{}")))
                .withMessageContaining("no gzip");
        ByteArrayOutputStream bomb = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(bomb)) {
            for (int i = 0; i < 65; i++) {
                gzip.write(new byte[1 << 20]);
            }
        }
        assertThatExceptionOfType(SerializationException.class)
                .isThrownBy(() -> texts(PACKED, Map.of("cqrs-bytes", 65 << 20), bomb.toByteArray()))
                .withMessageContaining("larger than");
        for (int size : new int[] {-1, 0, 1 << 20}) {
            assertThatExceptionOfType(SerializationException.class)
                    .isThrownBy(() -> texts(PACKED, Map.of("cqrs-bytes", size), bomb.toByteArray()))
                    .withMessageContaining("more than the " + size + " bytes");
        }
        assertThatExceptionOfType(SerializationException.class)
                .isThrownBy(() -> texts(PACKED, Map.of("cqrs-bytes", whole.length << 10), whole))
                .withMessageContaining("fewer than the");
        assertThatExceptionOfType(SerializationException.class)
                .isThrownBy(() -> texts(PACKED, Map.of(), whole))
                .withMessageContaining("has no header cqrs-bytes");
    }

    @Test
    void refusesMoreMessagesThanItsHeaderSaysOrTheMemoryIsMeantFor() {
        assertThat(texts(PLAIN, Map.of("cqrs-changes", 2), bytes("a\nb"))).hasSize(2);
        assertThatExceptionOfType(SerializationException.class)
                .isThrownBy(() -> texts(PLAIN, Map.of("cqrs-changes", 1), bytes("a\nb")))
                .withMessageContaining("2 messages, not the number");
        assertThat(texts(PLAIN, bytes("\n".repeat(10_000)))).hasSize(10_000);
        assertThatExceptionOfType(SerializationException.class)
                .isThrownBy(() -> texts(PLAIN, bytes("\n".repeat(10_001))))
                .withMessageContaining("more than 10000 messages");
    }

    @Test
    void refusesABatchOfMoreThanTheMemoryIsMeantForThoughItIsNotPacked() {
        assertThatExceptionOfType(SerializationException.class)
                .isThrownBy(() -> texts(PLAIN, bytes("x".repeat((64 << 20) + 1))))
                .withMessageContaining("larger than 67108864 bytes");
        String half = "{\"a\":[" + "{},".repeat(600_000) + "{}]}";
        assertThat(texts(PLAIN, bytes(half))).hasSize(1);
        assertThatExceptionOfType(SerializationException.class)
                .isThrownBy(() -> texts(PLAIN, bytes(half + "\n" + half)))
                .withMessageContaining("more than 2000000 values");
        String text = "{\"a\":\"" + "[\\\",".repeat(600_000) + "\"}";
        assertThat(texts(PLAIN, bytes(text + "\n" + text))).hasSize(2);
    }

    @Test
    void noModelHasABatchesRoutingKey() {
        assertThat(RoutingKeys.toAllBatched("item")).isEqualTo("batch.item");
        assertThat(RoutingKeys.isToAll("batch.item", CqrsId.of("item"))).isTrue();
        assertThat(RoutingKeys.isToAll("cqrs.q.item", CqrsId.of("item"))).isFalse();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> CqrsId.of("batch.item"))
                .withMessageContaining("do not begin it with \"batch.\"");
    }

    private static OutgoingMessage pack(byte[]... bodies) {
        return MessageBatch.pack(TO, "1", Map.of(), List.of(bodies));
    }

    private static List<String> texts(OutgoingMessage message) {
        return texts(message.contentType(), message.headers(), message.body());
    }

    private static List<String> texts(String contentType, byte[] body) {
        return texts(contentType, Map.of(), body);
    }

    private static List<String> texts(String contentType, Map<String, Object> headers, byte[] body) {
        return MessageBatch.open(new Delivery(1, "1", contentType, "item", headers, body)).stream()
                .map(one -> new String(one.body(), StandardCharsets.UTF_8))
                .toList();
    }

    private static Delivery delivery(OutgoingMessage message) {
        return new Delivery(9, message.messageId(), message.contentType(), "item", message.headers(), message.body());
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
