package io.cqrs.core.jdbc;

import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;

/**
 * Rows for a {@code COPY ... FROM STDIN (FORMAT binary)}, in the form that PostgreSQL's documentation of COPY gives: the
 * server takes less time for them than for the rows of an INSERT, which it writes one by one. Belongs to one thread at a time.
 */
public final class CopyRows {

    private static final byte[] SIGNATURE = "PGCOPY\n\u00ff\r\n\0".getBytes(StandardCharsets.ISO_8859_1);
    private static final int FLAGS_AND_EXTENSION_BYTES = 8;
    private static final int HEADER_BYTES = SIGNATURE.length + FLAGS_AND_EXTENSION_BYTES;
    private static final int NULL_LENGTH = -1;
    private static final int END = -1;
    private static final int LARGEST_ARRAY = Integer.MAX_VALUE - 8;

    private final OutputStream field = new FieldStream();
    private byte[] bytes;
    private int size = HEADER_BYTES;

    /**
     * Begins with no rows.
     *
     * @param capacity how many bytes they will have, more or less; it grows with them
     */
    public CopyRows(int capacity) {
        bytes = Arrays.copyOf(SIGNATURE, Math.max(capacity, HEADER_BYTES));
    }

    /** Says whether a connection is the driver's, or gives it out: only over that can rows be copied. */
    public static boolean canUse(Connection connection) throws SQLException {
        return connection.isWrapperFor(PGConnection.class);
    }

    /** Begins the next row, which has to get this many fields. */
    public void beginRow(int fields) {
        ensure(Short.BYTES);
        buffer().putShort((short) fields);
        size += Short.BYTES;
    }

    /** Adds a text, or null. */
    public void addText(@Nullable String text) {
        if (text == null) {
            addLength(NULL_LENGTH);
        } else {
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            addLength(utf8.length);
            append(utf8, 0, utf8.length);
        }
    }

    /** Adds a whole number, or what has the form of one, as a {@code timestamptz}: microseconds since 2000-01-01 UTC. */
    public void addLong(long number) {
        addLength(Long.BYTES);
        ensure(Long.BYTES);
        buffer().putLong(number);
        size += Long.BYTES;
    }

    /**
     * Adds a field that is written piece by piece, a text in UTF-8.
     *
     * @return how many bytes it has
     */
    public int add(Field written) {
        addLength(0);
        int start = size;
        written.writeTo(field);
        ByteBuffer unused = ByteBuffer.wrap(bytes).putInt(start - Integer.BYTES, size - start);
        return size - start;
    }

    /** What writes a field. */
    @FunctionalInterface
    public interface Field {
        /** Writes all of it. */
        void writeTo(OutputStream out);
    }

    /** Returns how many bytes the rows have so far. */
    public int size() {
        return size - HEADER_BYTES;
    }

    /**
     * Has the server begin to take rows. Until they are written nothing else runs on the connection: it waits.
     *
     * @param copy the statement, of the columns that the rows have
     */
    public static CopyIn begin(Connection connection, String copy) throws SQLException {
        return connection.unwrap(PGConnection.class).getCopyAPI().copyIn(copy);
    }

    /** Writes the rows and ends with them, in any thread. */
    public void writeTo(CopyIn copy) throws SQLException {
        ensure(Short.BYTES);
        buffer().putShort((short) END);
        try {
            copy.writeToCopy(bytes, 0, size + Short.BYTES);
            long unused = copy.endCopy();
        } catch (SQLException e) {
            cancel(copy, e);
            throw e;
        }
    }

    /** Gives up a copy that has begun, since something failed that is told of this. */
    public static void cancel(CopyIn copy, Throwable cause) {
        try {
            if (copy.isActive()) {
                copy.cancelCopy();
            }
        } catch (SQLException e) {
            cause.addSuppressed(e);
        }
    }

    /** Begins anew with no rows. */
    public void clear() {
        size = HEADER_BYTES;
    }

    private void addLength(int length) {
        ensure(Integer.BYTES);
        buffer().putInt(length);
        size += Integer.BYTES;
    }

    private ByteBuffer buffer() {
        return ByteBuffer.wrap(bytes, size, bytes.length - size);
    }

    private void append(byte[] source, int from, int length) {
        ensure(length);
        System.arraycopy(source, from, bytes, size, length);
        size += length;
    }

    private void ensure(int more) {
        if (bytes.length - size < more) {
            bytes = Arrays.copyOf(
                    bytes, Math.max(Math.addExact(size, more), (int) Math.min(2L * bytes.length, LARGEST_ARRAY)));
        }
    }

    private final class FieldStream extends OutputStream {

        @Override
        public void write(int one) {
            ensure(1);
            bytes[size++] = (byte) one;
        }

        @Override
        public void write(byte[] source, int from, int length) {
            append(source, from, length);
        }
    }
}
