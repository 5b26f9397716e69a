package io.cqrs.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.cqrs.core.CqrsId;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class MessageBatchTest {

    @Test
    void givesBackWhatWasPackedAMessageALine() {
        byte[] batch = MessageBatch.pack(List.of(bytes("{\"a\":\n1}"), bytes("ä"), bytes("{}")));
        assertThat(new String(batch, StandardCharsets.UTF_8)).isEqualTo("{\"a\": 1}\nä\n{}");
        assertThat(texts(batch)).containsExactly("{\"a\": 1}", "ä", "{}");
        assertThat(texts(MessageBatch.pack(List.of(bytes("alone"))))).containsExactly("alone");
    }

    @Test
    void opensWhateverComes() {
        assertThat(texts(bytes("a\nb\n"))).containsExactly("a", "b");
        assertThat(texts(bytes("a\n\nb"))).containsExactly("a", "", "b");
        assertThat(texts(bytes(""))).containsExactly("");
        assertThat(texts(bytes("\n"))).containsExactly("");
    }

    @Test
    void noModelHasABatchesRoutingKey() {
        assertThat(RoutingKeys.toAllBatched(CqrsId.of("item"))).isEqualTo("batch.item");
        assertThat(RoutingKeys.isToAll("batch.item", CqrsId.of("item"))).isTrue();
        assertThat(RoutingKeys.isToAll("cqrs.q.item", CqrsId.of("item"))).isFalse();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> CqrsId.of("batch.item"))
                .withMessageContaining("do not begin it with \"batch.\"");
    }

    private static List<String> texts(byte[] batch) {
        return MessageBatch.unpack(batch).stream()
                .map(one -> new String(one, StandardCharsets.UTF_8))
                .toList();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
