package io.cqrs.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.cqrs.core.jdbc.TableName;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ValuesTest {

    private static final CqrsId PRODUCT = CqrsId.of("product");

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "a b", "a*", "#", "päth", "a\n"})
    void refusesAnIdThatCannotStandInARoutingKey(String id) {
        assertThatIllegalArgumentException().isThrownBy(() -> CqrsId.of(id)).withMessageContaining(id);
    }

    @Test
    void refusesAnIdOfMoreThanAHundredCharacters() {
        assertThat(CqrsId.of("a".repeat(100)).value()).hasSize(100);
        assertThatIllegalArgumentException().isThrownBy(() -> CqrsId.of("a".repeat(101)));
    }

    @Test
    void ordersStampsByTimeFirstAndRevisionSecond() {
        Instant now = Instant.parse("2026-11-21T01:16:00.614800Z");
        assertThat(Stamp.of(now, 9)).isLessThan(Stamp.of(now.plusNanos(1000), 0));
        assertThat(Stamp.of(now, 1)).isLessThan(Stamp.of(now, 2));
        assertThat(Stamp.of(now, 2)).isEqualByComparingTo(Stamp.of(now, 2));
    }

    @Test
    void truncatesAStampToMicrosecondsAndNeverRounds() {
        assertThat(Stamp.of(Instant.parse("2026-11-21T01:16:00.614800999Z"), 0).updated())
                .isEqualTo(Instant.parse("2026-11-21T01:16:00.614800Z"));
    }

    @Test
    void refusesANegativeRevision() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Revision(-1)).withMessageContaining("-1");
        assertThat(Revision.FIRST.next()).isEqualTo(new Revision(1));
    }

    @Test
    void keepsTheDeclaredOrderOfACompositeKey() {
        EntityKey key = EntityKey.of(PRODUCT, List.<Object>of(7L, "b"));
        assertThat(key.text()).isEqualTo("[7, \"b\"]");
        assertThat(key.parts()).isEqualTo(List.<Object>of(7L, "b"));
        assertThat(EntityKey.of(PRODUCT, 7L).parts()).isEqualTo(List.of(7L));
    }

    @Test
    void refusesAKeyThatNoPrimaryKeyCanBe() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EntityKey.of(PRODUCT, Map.of("id", 1)))
                .withMessageContaining("product");
        assertThatIllegalArgumentException().isThrownBy(() -> EntityKey.of(PRODUCT, List.of()));
        assertThatIllegalArgumentException().isThrownBy(() -> EntityKey.of(PRODUCT, List.of(List.of(1L))));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EntityKey.of(PRODUCT, Arrays.asList(1L, null)))
                .withMessageContaining("null");
    }

    @Test
    void keepsAChangeAsItWasWhenTheCallersMapChanges() {
        Map<String, Object> data = new HashMap<>(Map.of("sku", "a"));
        Change change = Change.of(Signal.SAVE, EntityKey.of(PRODUCT, 1L), Stamp.of(Instant.EPOCH, 0), data);
        data.put("sku", "b");
        assertThat(change.data()).containsEntry("sku", "a");
        assertThat(change.toString()).contains("product 1").doesNotContain("sku");
    }

    @Test
    void doublesTheDelayUpToTheCeiling() {
        Backoff backoff = Backoff.exponential(Duration.ofSeconds(1), Duration.ofSeconds(5));
        assertThat(backoff.delay(1)).hasSeconds(1);
        assertThat(backoff.delay(3)).hasSeconds(4);
        assertThat(backoff.delay(4)).hasSeconds(5);
        assertThat(backoff.delay(Integer.MAX_VALUE)).hasSeconds(5);
    }

    @Test
    void refusesABackoffThatWouldNotWait() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Backoff.exponential(Duration.ZERO, Duration.ofSeconds(1)));
        assertThatIllegalArgumentException().isThrownBy(() -> Backoff.constant(Duration.ofSeconds(-1)));
    }

    @Test
    void quotesTableNamesWhateverTheyHold() {
        assertThat(TableName.parse("public.product").sql()).isEqualTo("\"public\".\"product\"");
        assertThat(TableName.parse("Order").sql()).isEqualTo("\"Order\"");
        assertThat(TableName.parse("\"a.b\".\"x\"\"; drop table y\"").sql())
                .isEqualTo("\"a.b\".\"x\"\"; drop table y\"");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a.b.c", ".a", "a.", "\"a", "a\"b"})
    void refusesATextThatNamesNoTable(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> TableName.parse(text));
    }
}
