package io.cqrs.transport;

import io.cqrs.core.SerializationException;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Turns Java values into what JSON can hold, the way Django writes them: see docs/protocol.md for the table. Stateless.
 */
public final class WireValues {

    private static final Set<Class<?>> SCALARS = Set.of(
            String.class,
            Character.class,
            Boolean.class,
            Byte.class,
            Short.class,
            Integer.class,
            Long.class,
            BigInteger.class,
            BigDecimal.class,
            Float.class,
            Double.class,
            UUID.class,
            Instant.class,
            OffsetDateTime.class,
            ZonedDateTime.class,
            LocalDateTime.class,
            LocalDate.class,
            LocalTime.class,
            OffsetTime.class,
            Duration.class,
            byte[].class);

    private WireValues() {}

    /** Says whether values of this type have a form on the wire. */
    public static boolean supports(Class<?> type) {
        return SCALARS.contains(type)
                || type.isEnum()
                || Collection.class.isAssignableFrom(type)
                || Map.class.isAssignableFrom(type)
                || type.isRecord();
    }

    /**
     * Returns the value as it stands on the wire.
     *
     * @return null, {@code Boolean}, {@code Long}, {@code BigInteger}, {@code BigDecimal}, {@code String}, a list or a
     *     map of these
     * @throws SerializationException if its type has no form on the wire, or it is NaN or infinite
     */
    public static @Nullable Object toWire(@Nullable Object value) {
        if (value == null
                || value instanceof String
                || value instanceof Long
                || value instanceof Boolean
                || value instanceof BigDecimal
                || value instanceof BigInteger) {
            return value;
        }
        if (value instanceof Number number) {
            return numberToWire(number);
        }
        if (value instanceof Collection<?> items) {
            return listToWire(items);
        }
        if (value instanceof Map<?, ?> map) {
            return mapToWire(map);
        }
        if (value instanceof Record components) {
            return recordToWire(components);
        }
        return textToWire(value);
    }

    private static Object numberToWire(Number number) {
        if (number instanceof Float || number instanceof Double) {
            double value = number.doubleValue();
            if (Double.isNaN(value) || Double.isInfinite(value)) {
                throw new SerializationException(value + " has no form in JSON: store null instead");
            }
            // Shortest digits that read back as the same float or double.
            return new BigDecimal(number.toString());
        }
        if (number instanceof Integer || number instanceof Short || number instanceof Byte) {
            return number.longValue();
        }
        throw unsupported(number);
    }

    private static List<@Nullable Object> listToWire(Collection<?> items) {
        List<@Nullable Object> list = new ArrayList<>(items.size());
        for (Object item : items) {
            list.add(toWire(item));
        }
        return list;
    }

    private static Map<String, @Nullable Object> mapToWire(Map<?, ?> map) {
        Map<String, @Nullable Object> result = new LinkedHashMap<>();
        map.forEach((key, item) -> result.put(String.valueOf(key), toWire(item)));
        return result;
    }

    private static Map<String, @Nullable Object> recordToWire(Record components) {
        Map<String, @Nullable Object> result = new LinkedHashMap<>();
        for (RecordComponent component : components.getClass().getRecordComponents()) {
            try {
                Method accessor = component.getAccessor();
                accessor.setAccessible(true);
                result.put(WireNames.snakeCase(component.getName()), toWire(accessor.invoke(components)));
            } catch (ReflectiveOperationException e) {
                throw new SerializationException(
                        "component " + component.getName() + " of "
                                + components.getClass().getName() + " can't be read: " + e,
                        e);
            }
        }
        return result;
    }

    private static String textToWire(Object value) {
        if (value instanceof Instant time) {
            return WireTime.format(time);
        }
        if (value instanceof OffsetDateTime time) {
            return WireTime.format(time.toInstant());
        }
        if (value instanceof ZonedDateTime time) {
            return WireTime.format(time.toInstant());
        }
        if (value instanceof LocalDateTime time) {
            return WireTime.format(time);
        }
        if (value instanceof LocalTime time) {
            return WireTime.format(time);
        }
        if (value instanceof OffsetTime time) {
            return WireTime.format(time.withOffsetSameInstant(ZoneOffset.UTC).toLocalTime()) + "+00:00";
        }
        if (value instanceof Enum<?> constant) {
            return constant.name();
        }
        if (value instanceof byte[] bytes) {
            return Base64.getEncoder().encodeToString(bytes);
        }
        if (value instanceof LocalDate
                || value instanceof UUID
                || value instanceof Character
                || value instanceof Duration) {
            return value.toString();
        }
        throw unsupported(value);
    }

    private static SerializationException unsupported(Object value) {
        return new SerializationException("a " + value.getClass().getName() + " has no form on the wire");
    }
}
