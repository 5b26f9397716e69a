package io.cqrs.replica.internal.apply;

import io.cqrs.core.SerializationException;
import io.cqrs.core.jdbc.SqlArrays;
import io.cqrs.transport.JsonText;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A column of a replica table: how wire values become PostgreSQL's text form of its type.
 *
 * @param name the column
 * @param field the field's name on the wire
 * @param type the type's name in pg_type, as in {@code int8}
 * @param declared the type for a cast, without its length: a cast to {@code varchar(3)} would cut values off silently,
 *     where the column itself refuses them
 * @param exact the type with its length, for messages and probes
 * @param notNull whether it refuses null
 * @param required whether an insert fails without a value: not null and without default
 */
record ReplicaColumn(
        String name, String field, String type, String declared, String exact, boolean notNull, boolean required) {

    /** Types whose arrays can be bound as they are; all others are bound as text and cast. */
    private static final Set<String> BOUND_AS_IS = Set.of(
            "int2",
            "int4",
            "int8",
            "numeric",
            "float4",
            "float8",
            "bool",
            "text",
            "uuid",
            "date",
            "timestamp",
            "timestamptz");

    private static final int PLAIN_SCALE = 20_000;

    /** Returns the element type to bind an array of values with. */
    String bindType() {
        return BOUND_AS_IS.contains(type) ? type : "text";
    }

    /** Returns the expression that makes the column's type of a bound value. */
    String cast(String expression) {
        return BOUND_AS_IS.contains(type) ? expression : expression + "::" + declared;
    }

    /**
     * Returns the text form of a value.
     *
     * @throws SerializationException if the value does not fit the type, naming the field
     */
    @Nullable
    String text(@Nullable Object value) {
        if (type.equals("json") || type.equals("jsonb")) {
            return value == null ? null : JsonText.write(value);
        }
        if (value == null || value instanceof String) {
            return type.equals("bytea") && value != null ? bytes((String) value) : (String) value;
        }
        if (value instanceof BigDecimal number) {
            return decimal(number);
        }
        if (value instanceof List<?> list && type.startsWith("_")) {
            return SqlArrays.literal(elements(list));
        }
        if (value instanceof List || value instanceof Map) {
            throw new SerializationException("field " + field + " is nested, column " + name + " is " + declared
                    + ": make it json or jsonb, or map the field otherwise");
        }
        return value.toString();
    }

    private static String decimal(BigDecimal number) {
        return Math.abs((long) number.scale()) <= PLAIN_SCALE ? number.toPlainString() : number.toString();
    }

    private String bytes(String base64) {
        try {
            return "\\x" + HexFormat.of().formatHex(Base64.getDecoder().decode(base64));
        } catch (IllegalArgumentException e) {
            throw new SerializationException("field " + field + " is no base64, column " + name + " is bytea", e);
        }
    }

    /** As an array literal takes them: a decimal in the form that its column reads. */
    private static List<@Nullable Object> elements(List<?> list) {
        List<@Nullable Object> elements = new ArrayList<>(list.size());
        for (Object item : list) {
            if (item instanceof List<?> inner) {
                elements.add(elements(inner));
            } else {
                elements.add(item instanceof BigDecimal number ? decimal(number) : item);
            }
        }
        return elements;
    }
}
