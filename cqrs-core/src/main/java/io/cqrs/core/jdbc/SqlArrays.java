package io.cqrs.core.jdbc;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PGBinaryObject;
import org.postgresql.util.PGobject;

/**
 * Binds arrays, in the binary form of PostgreSQL's protocol ({@code array_send} and those of the elements): the server
 * takes a third of the time that it needs for an array's text, and the driver writes its own arrays' text character by
 * character. Where binary transfer is off they go as text. Stateless.
 */
public final class SqlArrays {

    private static final int USUAL_LENGTH = 16;
    private static final int HEADER_BYTES = 20;
    private static final int DIMENSIONS = 1;
    private static final int HAS_NULLS = 1;
    private static final int FIRST_INDEX = 1;
    private static final int NULL_LENGTH = -1;
    private static final int MICROS_A_SECOND = 1_000_000;
    private static final long EPOCH_SECOND =
            Instant.parse("2000-01-01T00:00:00Z").getEpochSecond();

    private SqlArrays() {}

    /** Binds a {@code text[]} of what elements are as text. */
    public static void setTexts(PreparedStatement statement, int parameter, List<? extends @Nullable Object> elements)
            throws SQLException {
        set(
                statement,
                parameter,
                Element.TEXT,
                elements,
                element -> element.toString().getBytes(StandardCharsets.UTF_8));
    }

    /** Binds a {@code text[]} of texts in UTF-8. */
    public static void setUtf8(PreparedStatement statement, int parameter, List<byte[]> elements) throws SQLException {
        set(statement, parameter, Element.TEXT, elements, element -> (byte[]) element);
    }

    /** Binds a {@code bigint[]} of whole numbers, {@code Integer}, {@code Long} or smaller. */
    public static void setLongs(PreparedStatement statement, int parameter, List<? extends @Nullable Object> elements)
            throws SQLException {
        set(statement, parameter, Element.INT8, elements, element -> bytes(((Number) element).longValue()));
    }

    /** Binds a {@code timestamptz[]}, to the microsecond. */
    public static void setInstants(
            PreparedStatement statement, int parameter, List<? extends @Nullable Object> elements) throws SQLException {
        set(statement, parameter, Element.TIMESTAMPTZ, elements, element -> bytes(micros((Instant) element)));
    }

    /** Returns a literal of these elements, as in {@code {"a",NULL}}; an element that is a list becomes an inner array. */
    public static String literal(List<? extends @Nullable Object> elements) {
        StringBuilder literal = new StringBuilder(elements.size() * USUAL_LENGTH);
        append(literal, elements);
        return literal.toString();
    }

    private static void set(
            PreparedStatement statement,
            int parameter,
            Element element,
            List<? extends @Nullable Object> elements,
            Function<Object, byte[]> binary)
            throws SQLException {
        List<byte @Nullable []> encoded = new ArrayList<>(elements.size());
        int size = HEADER_BYTES;
        for (Object one : elements) {
            byte[] bytes = one == null ? null : binary.apply(one);
            encoded.add(bytes);
            size += Integer.BYTES + (bytes == null ? 0 : bytes.length);
        }
        ByteBuffer array = ByteBuffer.allocate(size)
                .putInt(DIMENSIONS)
                .putInt(HAS_NULLS)
                .putInt(element.oid)
                .putInt(encoded.size())
                .putInt(FIRST_INDEX);
        for (byte[] bytes : encoded) {
            if (bytes == null) {
                array.putInt(NULL_LENGTH);
            } else {
                array.putInt(bytes.length).put(bytes);
            }
        }
        statement.setObject(parameter, new BinaryArray(element.array, array.array(), elements));
    }

    private static byte[] bytes(long value) {
        return ByteBuffer.allocate(Long.BYTES).putLong(value).array();
    }

    private static long micros(Instant time) {
        return (time.getEpochSecond() - EPOCH_SECOND) * MICROS_A_SECOND + time.getNano() / 1000;
    }

    private static void append(StringBuilder literal, List<? extends @Nullable Object> elements) {
        String separator = "";
        literal.append('{');
        for (Object element : elements) {
            literal.append(separator);
            separator = ",";
            if (element instanceof List<?> inner) {
                append(literal, inner);
            } else {
                append(literal, element == null ? null : text(element));
            }
        }
        literal.append('}');
    }

    private static String text(Object element) {
        return element instanceof byte[] utf8 ? new String(utf8, StandardCharsets.UTF_8) : element.toString();
    }

    private static void append(StringBuilder literal, @Nullable String text) {
        if (text == null) {
            literal.append("NULL");
            return;
        }
        boolean plain = text.indexOf('"') < 0 && text.indexOf('\\') < 0;
        literal.append('"')
                .append(plain ? text : text.replace("\\", "\\\\").replace("\"", "\\\""))
                .append('"');
    }

    /** A type of elements, by the numbers of pg_type, which never change. */
    private enum Element {
        INT8(20, "_int8"),
        TEXT(25, "_text"),
        TIMESTAMPTZ(1184, "_timestamptz");

        private final int oid;
        private final String array;

        Element(int oid, String array) {
            this.oid = oid;
            this.array = array;
        }
    }

    /** What the driver asks for an array's bytes, or for its text. */
    private static final class BinaryArray extends PGobject implements PGBinaryObject {

        private static final long serialVersionUID = 1L;

        private final byte[] bytes;
        private final transient List<? extends @Nullable Object> elements;

        private BinaryArray(String type, byte[] bytes, List<? extends @Nullable Object> elements) {
            this.type = type;
            this.bytes = bytes;
            this.elements = elements;
        }

        @Override
        public String getValue() {
            return literal(elements);
        }

        @Override
        public int lengthInBytes() {
            return bytes.length;
        }

        @Override
        public void toBytes(byte[] target, int offset) {
            System.arraycopy(bytes, 0, target, offset, bytes.length);
        }

        @Override
        public void setByteValue(byte[] value, int offset) {
            throw new UnsupportedOperationException("arrays are bound, not read");
        }
    }
}
