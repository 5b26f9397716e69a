package io.cqrs.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.cqrs.core.Change;
import io.cqrs.core.CqrsId;
import io.cqrs.core.EntityKey;
import io.cqrs.core.SerializationException;
import io.cqrs.core.Signal;
import io.cqrs.core.Stamp;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class MessageCodecTest {

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();
    private static final CqrsId PRODUCT = CqrsId.of("product");
    private static final Stamp STAMP = Stamp.of(Instant.parse("2026-11-21T01:16:00Z"), 3);

    private final MessageCodec codec = new MessageCodec();

    static Stream<Named<JsonNode>> capturedMessages() throws IOException {
        Path file = Path.of("src/test/resources/wire/django-cqrs-27.ndjson");
        return Files.readAllLines(file).stream()
                .map(MessageCodecTest::tree)
                .map(node -> Named.of(node.get("case").asText(), node));
    }

    @ParameterizedTest
    @MethodSource("capturedMessages")
    void readsWhatDjangoWritesAndWritesTheSame(JsonNode captured) {
        String body = captured.get("body").asText();
        Message message = codec.decode(bytes(body));
        assertThat(tree(codec.encode(message))).isEqualTo(tree(body));
    }

    @Test
    void writesKeyRevisionAndTimeOnceWhateverTheDataSays() {
        EntityKey key = EntityKey.of(PRODUCT, 1L);
        Map<String, Object> data = Map.of("id", 9L, "cqrs_revision", 9L, "cqrs_updated", "then");
        for (Signal signal : Signal.values()) {
            Change read = codec.decode(codec.encode(Message.of(Change.of(signal, key, STAMP, data))))
                    .change();
            assertThat(read.stamp()).isEqualTo(STAMP);
            assertThat(read.key()).isEqualTo(key);
            assertThat(read.data()).isEqualTo(signal == Signal.DELETE ? Map.of() : Map.of("id", 9L));
        }
    }

    @Test
    void hasCapturesOfEachSignal() throws IOException {
        assertThat(capturedMessages()
                        .map(captured -> codec.decode(
                                        bytes(captured.getPayload().get("body").asText()))
                                .change()
                                .signal()))
                .contains(Signal.values());
    }

    @Test
    void readsTheFieldsOfACapturedUpdate() throws IOException {
        JsonNode captured = capturedMessages().toList().get(1).getPayload();
        Message message = codec.decode(bytes(captured.get("body").asText()));
        Change change = message.change();
        assertThat(change.key()).isEqualTo(EntityKey.of(CqrsId.of("basic"), 1L));
        assertThat(change.stamp()).isEqualTo(Stamp.of(Instant.parse("2026-11-21T01:16:00.928275Z"), 1));
        assertThat(change.data())
                .containsEntry("float_field", new BigDecimal("1E-7"))
                .containsEntry("bool_field", null)
                .doesNotContainKeys("cqrs_revision", "cqrs_updated");
        assertThat(change.previous()).containsEntry("float_field", new BigDecimal("0.30000000000000004"));
        assertThat(message.expires()).isEqualTo(Instant.parse("2026-11-21T02:16:00Z"));
    }

    @Test
    void keepsEveryDigitOfANumber() {
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("price", new BigDecimal("123456789012345678901234567890.12345678901234567890"));
        data.put("scale", new BigDecimal("1.500"));
        data.put("thousands", new BigDecimal("1E+3"));
        data.put("big", new BigInteger("123456789012345678901234567890"));
        data.put("long", Long.MIN_VALUE);
        Message read = roundTrip(data);
        assertThat(read.change().data().get("price")).isEqualTo(data.get("price"));
        assertThat(read.change().data().get("scale")).isEqualTo(data.get("scale"));
        assertThat(read.change().data().get("thousands")).isEqualTo(1000L);
        assertThat(read.change().data().get("big")).isEqualTo(data.get("big"));
        assertThat(read.change().data().get("long")).isEqualTo(Long.MIN_VALUE);
    }

    @Test
    void doesNotUnfoldAnEnormousExponent() {
        Message read = roundTrip(Map.of("n", new BigDecimal("1E+1000000000")));
        assertThat(read.change().data().get("n")).isEqualTo(new BigDecimal("1E+1000000000"));
    }

    @Test
    void carriesACompositeKeyAsAnArray() {
        EntityKey key = EntityKey.of(PRODUCT, List.<Object>of(7L, "b"));
        byte[] message = codec.encode(Message.of(Change.of(Signal.DELETE, key, STAMP, Map.of())));
        assertThat(tree(message).get("instance_pk").toString()).isEqualTo("[7,\"b\"]");
        assertThat(tree(message).get("instance_data").get("id").toString()).isEqualTo("[7,\"b\"]");
        assertThat(codec.decode(message).change().key()).isEqualTo(key);
    }

    @Test
    void addsWhatTheMasterGivesToADelete() {
        Change change =
                Change.of(Signal.DELETE, EntityKey.of(PRODUCT, 1L), STAMP, Map.of("custom", Map.of("why", "sold")));
        Message read = codec.decode(codec.encode(Message.of(change)));
        assertThat(read.change().data()).isEqualTo(Map.of("custom", Map.of("why", "sold")));
    }

    @Test
    void ignoresUnknownKeysAndTakesMissingOptionalOnesAsNothing() {
        Message read = codec.decode(bytes("{\"signal_type\":\"SAVE\",\"cqrs_id\":\"product\",\"instance_pk\":\"a\","
                + "\"instance_data\":{\"cqrs_revision\":0,\"cqrs_updated\":\"2026-11-21T01:16:00Z\"},\"new\":[{}]}"));
        assertThat(read.retries()).isZero();
        assertThat(read.expires()).isNull();
        assertThat(read.change().meta()).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"instance_pk", "signal_type", "cqrs_id", "instance_data"})
    void namesARequiredKeyThatIsMissingOrNull(String key) {
        ObjectNode node = (ObjectNode) tree(codec.encode(aMessage()));
        node.putNull(key);
        assertRefused(node.toString(), key + " is null");
        node.remove(key);
        assertRefused(node.toString(), key + " is missing");
    }

    @ParameterizedTest
    @ValueSource(strings = {"cqrs_revision", "cqrs_updated"})
    void namesTheModelAndKeyWhereRevisionOrTimeIsMissing(String key) {
        ObjectNode node = (ObjectNode) tree(codec.encode(aMessage()));
        ((ObjectNode) node.get("instance_data")).remove(key);
        assertRefused(node.toString(), "product 1", key);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"\"|no JSON object",
                "[]|no JSON object",
                "''|no JSON object",
                "{|not valid JSON",
                "{\"a\":1|not valid JSON",
                "{\"a\":NaN}|not valid JSON",
                "{\"a\":1,\"a\":2}|not valid JSON",
                "{\"signal_type\":\"UPSERT\"}|signal_type is not known",
                "{\"signal_type\":7}|signal_type is not a string",
            })
    void saysWhyBytesAreNoMessage(String body, String reason) {
        assertRefused(body, reason);
    }

    @Test
    void refusesTextBehindTheMessage() {
        assertRefused(new String(codec.encode(aMessage()), StandardCharsets.UTF_8) + "{}", "goes on after");
    }

    @Test
    void refusesNestingWithoutEnd() {
        assertRefused("{\"a\":" + "[".repeat(100_000), "not valid JSON");
    }

    @Test
    void refusesBytesThatAreNotUtf8() {
        byte[] body = codec.encode(aMessage());
        body[body.length / 2] = (byte) 0xff;
        assertThatExceptionOfType(SerializationException.class).isThrownBy(() -> codec.decode(body));
    }

    @ParameterizedTest
    @CsvSource({
        "2026-11-21 01:16:00.614800+00:00, 2026-11-21T01:16:00.614800Z",
        "2026-11-21T01:16:00.614800Z, 2026-11-21T01:16:00.614800Z",
        "2026-11-21T01:16:00+00:00, 2026-11-21T01:16:00Z",
        "2026-11-21 01:16:00, 2026-11-21T01:16:00Z",
        "2026-11-21 01:16, 2026-11-21T01:16:00Z",
        "2026-11-21 01:16:00.6+02:00, 2026-11-20T23:16:00.600Z",
        "2026-11-21 01:16:00.999999999-03:30, 2026-11-21T04:46:00.999999Z",
        "2026-11-21 01:16:00+02, 2026-11-20T23:16:00Z",
        "2026-11-21 01:16:00+0200, 2026-11-20T23:16:00Z",
    })
    void readsTimestampsWithAndWithoutSeparatorFractionAndOffset(String text, Instant expected) {
        assertThat(WireTime.parse(text)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "now", "2026-13-01 00:00:00", "2026-11-21", "2026-11-21 01:16:00+00:00x"})
    void refusesATextThatIsNoTimestamp(String text) {
        assertThatExceptionOfType(SerializationException.class)
                .isThrownBy(() -> WireTime.parse(text))
                .withMessageContaining("\"" + text + "\"");
    }

    private void assertRefused(String body, String... words) {
        assertThatExceptionOfType(SerializationException.class)
                .isThrownBy(() -> codec.decode(bytes(body)))
                .satisfies(e -> assertThat(e.getMessage()).contains(words));
    }

    private Message roundTrip(Map<String, Object> data) {
        Change change = Change.of(Signal.SAVE, EntityKey.of(PRODUCT, 1L), STAMP, data);
        return codec.decode(codec.encode(Message.of(change)));
    }

    private static Message aMessage() {
        return Message.of(Change.of(Signal.SAVE, EntityKey.of(PRODUCT, 1L), STAMP, Map.of("sku", "a")));
    }

    private static JsonNode tree(String json) {
        return tree(bytes(json));
    }

    private static JsonNode tree(byte[] json) {
        try {
            return JSON.readTree(json);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
