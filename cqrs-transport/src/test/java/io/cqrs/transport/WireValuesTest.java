package io.cqrs.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.cqrs.core.SerializationException;
import java.math.BigDecimal;
import java.time.DayOfWeek;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class WireValuesTest {

    static Stream<Arguments> values() {
        UUID uuid = UUID.fromString("12345678-1234-5678-1234-567812345678");
        return Stream.of(
                Arguments.of(7, 7L),
                Arguments.of((short) -1, -1L),
                Arguments.of(0.1f, new BigDecimal("0.1")),
                Arguments.of(0.30000000000000004, new BigDecimal("0.30000000000000004")),
                Arguments.of(1e-7, new BigDecimal("1.0E-7")),
                Arguments.of('x', "x"),
                Arguments.of(uuid, uuid.toString()),
                Arguments.of(DayOfWeek.MONDAY, "MONDAY"),
                Arguments.of(LocalDate.of(2024, 2, 29), "2024-02-29"),
                Arguments.of(LocalTime.of(1, 2, 3, 4_000), "01:02:03.000004"),
                Arguments.of(LocalTime.of(1, 2), "01:02:00"),
                Arguments.of(LocalDateTime.of(2024, 2, 29, 1, 2, 3, 999_999_999), "2024-02-29 01:02:03.999999"),
                Arguments.of(Instant.parse("2024-02-29T23:59:59.999999999Z"), "2024-02-29 23:59:59.999999+00:00"),
                Arguments.of(OffsetDateTime.parse("2024-03-01T01:00:00+02:00"), "2024-02-29 23:00:00+00:00"),
                Arguments.of(new byte[] {1, 2, -1}, "AQL/"),
                Arguments.of(List.of(1, DayOfWeek.MONDAY), List.<Object>of(1L, "MONDAY")),
                Arguments.of(Map.of("a", 1), Map.of("a", 1L)));
    }

    @ParameterizedTest
    @MethodSource("values")
    void writesValuesAsDjangoDoes(Object value, Object expected) {
        assertThat(WireValues.toWire(value)).isEqualTo(expected);
        assertThat(WireValues.supports(value.getClass())).isTrue();
    }

    @Test
    void refusesWhatJsonCannotHold() {
        assertThatExceptionOfType(SerializationException.class)
                .isThrownBy(() -> WireValues.toWire(Double.NaN))
                .withMessageContaining("NaN");
        assertThatExceptionOfType(SerializationException.class)
                .isThrownBy(() -> WireValues.toWire(new Object()))
                .withMessageContaining("java.lang.Object");
        assertThat(WireValues.supports(Object.class)).isFalse();
    }
}
