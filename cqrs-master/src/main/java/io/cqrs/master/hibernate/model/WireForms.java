package io.cqrs.master.hibernate.model;

import io.cqrs.transport.JsonText;
import io.cqrs.transport.WireValues;
import java.lang.reflect.Array;
import java.math.BigDecimal;
import java.net.InetAddress;
import java.sql.Connection;
import java.sql.Time;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Calendar;
import java.util.Collection;
import java.util.Comparator;
import java.util.GregorianCalendar;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TimeZone;
import java.util.TreeSet;
import java.util.UUID;
import org.hibernate.Hibernate;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.metamodel.mapping.JdbcMapping;
import org.hibernate.type.BasicPluralType;
import org.hibernate.type.SqlTypes;
import org.hibernate.type.descriptor.java.JavaType;
import org.hibernate.type.descriptor.jdbc.DateJdbcType;
import org.hibernate.type.descriptor.jdbc.JdbcType;
import org.hibernate.type.descriptor.jdbc.TimeJdbcType;
import org.hibernate.type.descriptor.jdbc.TimestampJdbcType;
import org.jspecify.annotations.Nullable;

/**
 * Finds the wire form of an attribute's type: what the row holds, so that it does not matter who reads it, Hibernate or
 * SQL. A converter is applied, an enum is its name or its number as the column has it. Stateless.
 */
final class WireForms {

    private WireForms() {}

    /**
     * Returns the form of a basic type.
     *
     * @param column what keeps the value, or null for an element of an array or a collection
     * @return null where the type has none
     */
    static @Nullable WireForm basic(JdbcMapping mapping, @Nullable Column column) {
        return basic(mapping, column, false);
    }

    /** Returns the same for a value within an array or JSON, which Hibernate keeps as in no zone. */
    static @Nullable WireForm inner(JdbcMapping mapping, @Nullable Column column) {
        return basic(mapping, column, true);
    }

    private static @Nullable WireForm basic(JdbcMapping mapping, @Nullable Column column, boolean inner) {
        JdbcType jdbc = mapping.getJdbcType();
        if (jdbc.getDefaultSqlTypeCode() == SqlTypes.JSON) {
            return json(mapping);
        }
        if (mapping instanceof BasicPluralType<?, ?> plural && jdbc.isArray()) {
            WireForm element = inner(plural.getElementType(), null);
            return element == null ? null : array(element);
        }
        Class<?> type = mapping.getJdbcJavaType().getJavaTypeClass();
        Class<?> boxed =
                type.isPrimitive() ? Array.get(Array.newInstance(type, 1), 0).getClass() : type;
        WireForm relational = relational(mapping, boxed, column, inner);
        return relational == null
                ? null
                : (value, context) ->
                        value == null ? null : relational.toWire(mapping.convertToRelationalValue(value), context);
    }

    private static @Nullable WireForm relational(
            JdbcMapping mapping, Class<?> type, @Nullable Column column, boolean inner) {
        JdbcType jdbc = mapping.getJdbcType();
        boolean number = jdbc.isInteger() || jdbc.isNumber();
        if (type.isEnum()) {
            return number
                    ? (value, context) -> WireValues.toWire(value == null ? null : ((Enum<?>) value).ordinal())
                    : (value, context) -> WireValues.toWire(value);
        }
        if (type == Duration.class) {
            return number ? unwrapped(mapping, BigDecimal.class) : (value, context) -> WireValues.toWire(value);
        }
        if (InetAddress.class.isAssignableFrom(type)) {
            return (value, context) -> value == null ? null : ((InetAddress) value).getHostAddress();
        }
        if (type == Byte[].class || (type == UUID.class && jdbc.isBinary() && !inner)) {
            return unwrapped(mapping, byte[].class);
        }
        if (type == LocalTime.class && jdbc instanceof TimeJdbcType) {
            return (value, context) -> WireValues.toWire(context.stored()
                    .asStored(
                            asBound((LocalTime) value, mapping, context, zone(context, inner)),
                            column,
                            connection(context.session())));
        }
        if (type == LocalDateTime.class && jdbc instanceof TimestampJdbcType) {
            return (value, context) -> WireValues.toWire(context.stored()
                    .asStored(
                            value == null ? null : asBound((LocalDateTime) value, zone(context, inner)),
                            column,
                            connection(context.session())));
        }
        if (type == LocalDate.class && jdbc instanceof DateJdbcType) {
            return (value, context) -> WireValues.toWire(
                    value == null
                            ? null
                            : asBound(((LocalDate) value).atStartOfDay(), null).toLocalDate());
        }
        boolean collection = Collection.class.isAssignableFrom(type) || Map.class.isAssignableFrom(type);
        if (WireValues.supports(type) && !collection && !type.isRecord()) {
            return (value, context) ->
                    WireValues.toWire(context.stored().asStored(value, column, connection(context.session())));
        }
        if (jdbc.isString()) {
            return unwrapped(mapping, String.class);
        }
        return jdbc.isInteger() ? unwrapped(mapping, Long.class) : null;
    }

    /** Returns the zone in which Hibernate has the driver write times that have none, or null where as they are. */
    private static @Nullable TimeZone zone(WireContext context, boolean inner) {
        return inner ? null : context.session().getJdbcTimeZone();
    }

    /** By default Hibernate binds a time of day as a java.sql.Time, which has milliseconds. */
    private static @Nullable LocalTime asBound(
            @Nullable LocalTime value, JdbcMapping mapping, WireContext context, @Nullable TimeZone zone) {
        if (value == null) {
            return null;
        }
        Time bound = javaType(mapping).unwrap(value, Time.class, context.session());
        return zone == null
                ? bound.toLocalTime().plus(Math.floorMod(bound.getTime(), 1000L), ChronoUnit.MILLIS)
                : LocalTime.ofInstant(Instant.ofEpochMilli(bound.getTime()), zone.toZoneId());
    }

    /** In a gap of the JVM's zone, or of the calendars, it is written as another. Before 1900 old and new rules differ. */
    private static boolean isPlain(LocalDateTime value) {
        return value.getYear() >= 1900 && ZoneId.systemDefault().getRules().getTransition(value) == null;
    }

    /** By default Hibernate binds a date and time as a java.sql.Timestamp, of which the driver writes a calendar's fields. */
    private static LocalDateTime asBound(LocalDateTime value, @Nullable TimeZone zone) {
        if (zone == null && isPlain(value)) {
            return value;
        }
        Timestamp bound = Timestamp.valueOf(value);
        Calendar written = new GregorianCalendar(zone == null ? TimeZone.getDefault() : zone);
        written.setTime(bound);
        int year = written.get(Calendar.YEAR);
        return LocalDateTime.of(
                written.get(Calendar.ERA) == GregorianCalendar.AD ? year : 1 - year,
                written.get(Calendar.MONTH) + 1,
                written.get(Calendar.DAY_OF_MONTH),
                written.get(Calendar.HOUR_OF_DAY),
                written.get(Calendar.MINUTE),
                written.get(Calendar.SECOND),
                bound.getNanos());
    }

    /** What the driver would be given. */
    private static WireForm unwrapped(JdbcMapping mapping, Class<?> as) {
        return (value, context) -> {
            JavaType<Object> type = javaType(mapping);
            Object bare = value == null ? null : type.unwrap(value, as, context.session());
            return WireValues.toWire(
                    bare instanceof BigDecimal number && number.scale() <= 0 ? number.toBigIntegerExact() : bare);
        };
    }

    @SuppressWarnings("unchecked") // the mapping's own type of the mapping's own values
    private static JavaType<Object> javaType(JdbcMapping mapping) {
        return (JavaType<Object>) mapping.getJdbcJavaType();
    }

    private static WireForm json(JdbcMapping mapping) {
        return (value, context) -> {
            if (value == null) {
                return null;
            }
            Object relational = mapping.convertToRelationalValue(value);
            if (relational instanceof String text) {
                return JsonText.read(text);
            }
            String text = context.session()
                    .getFactory()
                    .getSessionFactoryOptions()
                    .getJsonFormatMapper()
                    .toString(relational, javaType(mapping), context.session());
            return JsonText.read(text);
        };
    }

    private static WireForm array(WireForm element) {
        return (value, context) -> {
            if (value == null) {
                return null;
            }
            List<@Nullable Object> list = new ArrayList<>();
            if (value instanceof Collection<?> items) {
                items.forEach(item -> list.add(element.toWire(item, context)));
            } else {
                for (int i = 0; i < Array.getLength(value); i++) {
                    list.add(element.toWire(Array.get(value, i), context));
                }
            }
            return list;
        };
    }

    /** A reference to another entity: its key, without loading it. */
    static WireForm reference(MasterKey key) {
        return (value, context) -> value == null ? null : key.value(References.id(value, context.session()), context);
    }

    /** An embeddable as one value: within an array or a collection, or kept as JSON. */
    static WireForm object(MasterField.Embedded embedded) {
        return (value, context) -> {
            if (value == null) {
                return null;
            }
            Map<String, @Nullable Object> object = new LinkedHashMap<>();
            embedded.read(MasterField.Values.of(value), context, true, object);
            return object;
        };
    }

    /** A collection of values: of a set in their own order, so that equal sets are equal on the wire. */
    static WireForm collection(WireForm element) {
        return (value, context) -> {
            if (value == null) {
                return null;
            }
            Hibernate.initialize(value);
            List<@Nullable Object> list = new ArrayList<>();
            ((Collection<?>) value).forEach(item -> list.add(element.toWire(item, context)));
            if (value instanceof Set<?>) {
                list.sort(Comparator.comparing(JsonText::write));
            }
            return list;
        };
    }

    /** A map of values: an object, its keys in their own order. */
    static WireForm map(WireForm key, WireForm element) {
        return (value, context) -> {
            if (value == null) {
                return null;
            }
            Hibernate.initialize(value);
            Map<String, @Nullable Object> byKey = new LinkedHashMap<>();
            ((Map<?, ?>) value)
                    .forEach((one, item) ->
                            byKey.put(String.valueOf(key.toWire(one, context)), element.toWire(item, context)));
            Map<String, @Nullable Object> object = new LinkedHashMap<>();
            new TreeSet<>(byKey.keySet()).forEach(name -> object.put(name, byKey.get(name)));
            return object;
        };
    }

    private static Connection connection(SharedSessionContractImplementor session) {
        return session.getJdbcCoordinator().getLogicalConnection().getPhysicalConnection();
    }
}
