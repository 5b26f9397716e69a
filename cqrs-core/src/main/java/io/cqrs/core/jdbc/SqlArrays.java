package io.cqrs.core.jdbc;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLDataException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.jdbc.PreferQueryMode;
import org.postgresql.util.PGBinaryObject;
import org.postgresql.util.PGobject;

/**
 * Binds arrays, in the binary form of PostgreSQL's protocol ({@code array_send} and those of the elements): the server
 * takes a third of the time that it needs for an array's text, and the driver writes its own arrays' text character by
 * character. Where binary transfer is off, or {@code preferQueryMode} is simple, they go as text. Stateless.
 */
public final class SqlArrays {

    private static final int USUAL_LENGTH = 16;
    private static final int HEADER_BYTES = 20;
    private static final int DIMENSIONS = 1;
    private static final int HAS_NULLS = 1;
    private static final int FIRST_INDEX = 1;
    private static final int NULL_LENGTH = -1;
    private static final int MOST_BYTES = 1 << 30;
    private static final String PROGRAM_LIMIT_EXCEEDED = "54000";

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
        if (isSimple(statement.getConnection())) {
            statement.setString(parameter, literal(elements));
            return;
        }
        List<byte @Nullable []> encoded = new ArrayList<>(elements.size());
        long size = HEADER_BYTES;
        for (Object one : elements) {
            byte[] bytes = one == null ? null : binary.apply(one);
            encoded.add(bytes);
            size += Integer.BYTES + (bytes == null ? 0 : bytes.length);
        }
        if (size > MOST_BYTES) {
            throw new SQLDataException(
                    "an array of " + elements.size() + " elements has " + size + " bytes, more than PostgreSQL takes",
                    PROGRAM_LIMIT_EXCEEDED);
        }
        ByteBuffer array = ByteBuffer.allocate((int) size)
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

    /** Its protocol has no binary form, which the driver does not look at here. */
    private static boolean isSimple(Connection connection) throws SQLException {
        return connection.isWrapperFor(PGConnection.class)
                && connection.unwrap(PGConnection.class).getPreferQueryMode() == PreferQueryMode.SIMPLE;
    }

    private static byte[] bytes(long value) {
        return ByteBuffer.allocate(Long.BYTES).putLong(value).array();
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
        TEXT(25, "_text");

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
