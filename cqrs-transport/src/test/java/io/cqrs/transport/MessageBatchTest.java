package io.cqrs.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.cqrs.core.CqrsId;
import io.cqrs.core.SerializationException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;

class MessageBatchTest {

    private static final String PLAIN = "application/vnd.cqrs.batch+ndjson";
    private static final String PACKED = "application/vnd.cqrs.batch+ndjson+gzip";

    @Test
    void givesBackWhatWasPutInAMessageALine() {
        MessageBatch batch = MessageBatch.of(List.of(bytes("{\"a\":\n1}"), bytes("ä"), bytes("{}")));
        assertThat(batch.contentType()).isEqualTo(PLAIN);
        assertThat(new String(batch.body(), StandardCharsets.UTF_8)).isEqualTo("{\"a\": 1}\nä\n{}");
        assertThat(texts(batch)).containsExactly("{\"a\": 1}", "ä", "{}");
        assertThat(texts(MessageBatch.of(List.of(bytes(""), bytes("b"))))).containsExactly("", "b");
        assertThat(texts(MessageBatch.of(List.of(bytes("alone"))))).containsExactly("alone");
    }

    @Test
    void packsWhatIsLarge() {
        List<byte[]> bodies = Collections.nCopies(500, bytes("{\"name\":\"a name like others\"}"));
        MessageBatch batch = MessageBatch.of(bodies);
        assertThat(batch.contentType()).isEqualTo(PACKED);
        assertThat(batch.body().length).isLessThan(1000);
        assertThat(batch.bodies())
                .hasSize(500)
                .allSatisfy(one -> assertThat(one).isEqualTo(bodies.get(0)));
    }

    @Test
    void opensWhateverComes() {
        assertThat(texts(new MessageBatch(PLAIN, bytes("a\nb\n")))).containsExactly("a", "b");
        assertThat(texts(new MessageBatch(PLAIN, bytes("a\n\nb")))).containsExactly("a", "", "b");
        assertThat(texts(new MessageBatch(PLAIN, bytes("")))).containsExactly("");
        assertThat(texts(new MessageBatch(PLAIN, bytes("\n")))).containsExactly("");
        assertThat(MessageBatch.isBatch(PLAIN)).isTrue();
        assertThat(MessageBatch.isBatch(PACKED)).isTrue();
        assertThat(MessageBatch.isBatch("text/plain")).isFalse();
        assertThat(MessageBatch.isBatch(null)).isFalse();
    }

    @Test
    void refusesWhatDoesNotUnpack() throws IOException {
        byte[] whole =
                MessageBatch.of(Collections.nCopies(500, bytes("0123456789"))).body();
        assertThatExceptionOfType(SerializationException.class)
                .isThrownBy(() -> new MessageBatch(PACKED, Arrays.copyOf(whole, whole.length / 2)).bodies())
                .withMessageContaining("cut short");
        assertThatExceptionOfType(SerializationException.class)
                .isThrownBy(() -> new MessageBatch(PACKED, bytes("{}")).bodies())
                .withMessageContaining("no gzip");
        ByteArrayOutputStream bomb = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(bomb)) {
            for (int i = 0; i < 65; i++) {
                gzip.write(new byte[1 << 20]);
            }
        }
        assertThatExceptionOfType(SerializationException.class)
                .isThrownBy(() -> new MessageBatch(PACKED, bomb.toByteArray()).bodies())
                .withMessageContaining("larger than");
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

    private static List<String> texts(MessageBatch batch) {
        return batch.bodies().stream()
                .map(one -> new String(one, StandardCharsets.UTF_8))
                .toList();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
