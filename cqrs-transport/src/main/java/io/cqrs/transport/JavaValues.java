package io.cqrs.transport;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.deser.std.StdDeserializer;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import io.cqrs.core.SerializationException;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Makes Java values of values on the wire: numbers without loss, times as {@link WireTime} reads them, enums by name or
 * number, bytes of base64, records and beans by their properties in snake case. No type is ever named by the data.
 * Stateless.
 */
public final class JavaValues {

    /** Seconds are a long: 1e1000000000 must not be reckoned with. */
    private static final int MOST_SCALE = 100;

    private static final ObjectMapper MAPPER = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .addModule(times())
            .build();
    private static final BigDecimal NANOS = BigDecimal.valueOf(1_000_000_000);

    private JavaValues() {}

    /**
     * Makes a value of a type.
     *
     * @param <T> the type
     * @throws SerializationException if the value is none, without quoting it
     */
    public static <T> T read(@Nullable Object wire, Class<T> type) {
        try {
            return MAPPER.convertValue(wire, type);
        } catch (IllegalArgumentException e) {
            String where = e.getCause() instanceof JsonMappingException mapping
                            && !mapping.getPath().isEmpty()
                    ? "field " + mapping.getPath().get(0).getFieldName() + " of "
                    : "";
            throw new SerializationException("the value does not fit " + where + type.getName(), e);
        }
    }

    private static SimpleModule times() {
        SimpleModule module = new SimpleModule("cqrs");
        add(module, Instant.class, WireTime::parse);
        add(module, OffsetDateTime.class, text -> WireTime.parse(text).atOffset(ZoneOffset.UTC));
        add(module, ZonedDateTime.class, text -> WireTime.parse(text).atZone(ZoneOffset.UTC));
        add(module, LocalDateTime.class, text -> LocalDateTime.ofInstant(WireTime.parse(text), ZoneOffset.UTC));
        add(module, LocalDate.class, LocalDate::parse);
        add(module, LocalTime.class, LocalTime::parse);
        add(module, OffsetTime.class, OffsetTime::parse);
        add(module, Duration.class, JavaValues::duration);
        return module;
    }

    /** Seconds and nanoseconds in ISO form, or a column's number of nanoseconds. */
    private static Duration duration(String text) {
        if (text.startsWith("P") || text.startsWith("-P")) {
            return Duration.parse(text);
        }
        if (text.length() > MOST_SCALE) {
            throw new ArithmeticException("longer than a duration can be");
        }
        BigDecimal nanos = new BigDecimal(text);
        if (Math.abs((long) nanos.scale()) > MOST_SCALE) {
            throw new ArithmeticException("beyond what a duration can have");
        }
        BigDecimal[] parts = nanos.divideAndRemainder(NANOS);
        return Duration.ofSeconds(parts[0].longValueExact(), parts[1].longValueExact());
    }

    private static <T> void add(SimpleModule module, Class<T> type, Function<String, T> parse) {
        module.addDeserializer(type, new StdDeserializer<T>(type) {
            private static final long serialVersionUID = 1L;

            @Override
            public @Nullable T deserialize(JsonParser parser, DeserializationContext context) throws IOException {
                try {
                    return parse.apply(parser.getText());
                } catch (DateTimeException | ArithmeticException | NumberFormatException | SerializationException e) {
                    throw JsonMappingException.from(parser, "no " + type.getSimpleName(), e);
                }
            }
        });
    }
}
