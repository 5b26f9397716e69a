package io.cqrs.transport;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import io.cqrs.core.SerializationException;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads and writes JSON values as plain Java values, without loss: integers as Long, other numbers as BigDecimal. */
final class JsonValues {

    /** Beyond this many zeros a decimal is written with an exponent: 1e1000000000 must not fill the memory. */
    private static final int PLAIN_SCALE = 1000;

    static final int MAX_NESTING = 64;

    static final int MAX_TOKENS = 2_000_000;

    static final StreamReadConstraints LIMITS = StreamReadConstraints.builder()
            .maxNestingDepth(MAX_NESTING)
            .maxStringLength(Integer.MAX_VALUE)
            // The digits of the largest PostgreSQL numeric.
            .maxNumberLength(150_000)
            // Two bytes of text can be an object of fifty in memory.
            .maxTokenCount(MAX_TOKENS)
            .build();

    private JsonValues() {}

    /** Reads the object whose start the parser stands on; a key may stand only once. */
    static Map<String, @Nullable Object> readObject(JsonParser parser) throws IOException {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
            int known = map.size();
            map.put(name, read(parser, parser.nextToken()));
            if (map.size() == known) {
                throw new JsonParseException(parser, "a key stands twice");
            }
        }
        return map;
    }

    static @Nullable Object read(JsonParser parser, @Nullable JsonToken token) throws IOException {
        if (token == null) {
            throw new SerializationException("the JSON text ends within its value");
        }
        return switch (token) {
            case START_OBJECT -> readObject(parser);
            case START_ARRAY -> readArray(parser);
            case VALUE_STRING -> parser.getText();
            case VALUE_NUMBER_INT -> readInteger(parser);
            case VALUE_NUMBER_FLOAT -> parser.getDecimalValue();
            case VALUE_TRUE -> Boolean.TRUE;
            case VALUE_FALSE -> Boolean.FALSE;
            case VALUE_NULL -> null;
            default -> throw new SerializationException("unexpected " + token + " in the message");
        };
    }

    private static List<@Nullable Object> readArray(JsonParser parser) throws IOException {
        List<@Nullable Object> list = new ArrayList<>();
        for (JsonToken token = parser.nextToken(); token != JsonToken.END_ARRAY; token = parser.nextToken()) {
            list.add(read(parser, token));
        }
        return list;
    }

    private static Number readInteger(JsonParser parser) throws IOException {
        return parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
                ? parser.getBigIntegerValue()
                : (Number) parser.getLongValue();
    }

    static void write(JsonGenerator generator, @Nullable Object value) throws IOException {
        if (value == null) {
            generator.writeNull();
        } else if (value instanceof String text) {
            generator.writeString(text);
        } else if (value instanceof Long number) {
            generator.writeNumber(number);
        } else if (value instanceof Boolean flag) {
            generator.writeBoolean(flag);
        } else if (value instanceof BigDecimal number) {
            writeDecimal(generator, number);
        } else if (value instanceof BigInteger number) {
            generator.writeNumber(number);
        } else if (value instanceof Map<?, ?> map) {
            writeMap(generator, map);
        } else if (value instanceof List<?> list) {
            generator.writeStartArray();
            for (Object item : list) {
                write(generator, item);
            }
            generator.writeEndArray();
        } else {
            throw new SerializationException("a " + value.getClass().getName() + " has no form on the wire");
        }
    }

    private static void writeMap(JsonGenerator generator, Map<?, ?> map) throws IOException {
        generator.writeStartObject();
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            generator.writeFieldName(String.valueOf(entry.getKey()));
            write(generator, entry.getValue());
        }
        generator.writeEndObject();
    }

    private static void writeDecimal(JsonGenerator generator, BigDecimal number) throws IOException {
        if (Math.abs((long) number.scale()) <= PLAIN_SCALE) {
            generator.writeNumber(number);
        } else {
            generator.writeNumber(number.toString());
        }
    }
}
