package io.cqrs.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.cqrs.core.SerializationException;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Timestamps on the wire. */
class WireTimeTest {

    @Test
    void readsWhatItWrites() {
        long seed = 42;
        Random random = new Random(seed);
        for (int i = 0; i < 10_000; i++) {
            long second = random.nextLong(-62_135_596_800L, 253_402_300_800L);
            Instant time = Instant.ofEpochSecond(second, random.nextInt(1_000_000) * 1000L);
            assertThat(WireTime.parse(WireTime.format(time))).isEqualTo(time);
            Instant whole = Instant.ofEpochSecond(second);
            assertThat(WireTime.parse(WireTime.format(whole))).isEqualTo(whole);
        }
    }

    @Test
    void readsOtherForms() {
        Instant time = Instant.parse("2026-11-21T01:16:00.614800Z");
        for (String text : List.of(
                "2026-11-21T01:16:00.614800+00:00",
                "2026-11-21 01:16:00.6148+00",
                "2026-11-21T02:16:00.6148009+01:00",
                "2026-11-21T01:16:00.6148Z",
                "2026-11-21T01:16:00.6148")) {
            assertThat(WireTime.parse(text)).as(text).isEqualTo(time);
        }
    }

    @Test
    void refusesWhatIsNoTime() {
        for (String text : List.of(
                "2026-02-30 01:16:00+00:00",
                "2025-02-29 01:16:00.000000+00:00",
                "2026-13-01 01:16:00+00:00",
                "2026-11-21 24:16:00+00:00",
                "2026-11-21 01:60:00+00:00",
                "2026-11-21 01:16:61+00:00",
                "2026-11-21x01:16:00+00:00",
                "2026/11/21 01:16:00+00:00",
                "2026-11-21 01:16:00,614800+00:00",
                "yesterday")) {
            assertThatExceptionOfType(SerializationException.class).as(text).isThrownBy(() -> WireTime.parse(text));
        }
    }
}
