package io.cqrs.core.jdbc;

import java.sql.SQLException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Tells what kind of trouble an {@link SQLException} is, by its SQLSTATE (PostgreSQL manual, appendix A). */
public final class SqlStates {

    /** The state of a lock that was not to be had in time: contention. */
    public static final String LOCK_NOT_AVAILABLE = "55P03";

    /** Rolled back by no fault of the statement: serialization failure, deadlock, lock not available. */
    private static final Set<String> CONTENTION = Set.of("40001", "40P01", LOCK_NOT_AVAILABLE);

    private SqlStates() {}

    /** Says whether the same transaction may succeed when run again on a working connection. */
    public static boolean isContention(SQLException error) {
        return CONTENTION.contains(state(error));
    }

    /** Says whether a lock was not to be had in the time that was given for it. */
    public static boolean isLockNotAvailable(SQLException error) {
        return LOCK_NOT_AVAILABLE.equals(state(error));
    }

    /** Says whether the connection or the server is gone (class 08, 57P01 to 57P05, and timeouts that end a session). */
    public static boolean isUnavailable(SQLException error) {
        return state(error).startsWith("08")
                || state(error).startsWith("57P")
                || state(error).equals("25P03")
                || state(error).equals("25P04");
    }

    /** Says whether the server lets nobody in: a wrong name or password (class 28), or a database that does not exist. */
    public static boolean isNoEntry(SQLException error) {
        return state(error).startsWith("28") || state(error).equals("3D000");
    }

    /** Says whether the server is out of resources (class 53) or read-only for now (25006, a standby). */
    public static boolean isRefusing(SQLException error) {
        return state(error).startsWith("53") || state(error).equals("25006");
    }

    /** Says whether something that a statement names is not there, or may not be used (class 42). */
    public static boolean isMissingOrForbidden(SQLException error) {
        return state(error).startsWith("42");
    }

    /** Says whether a row refers to one that is not there: a foreign key's violation. */
    public static boolean isMissingParent(SQLException error) {
        return state(error).equals("23503");
    }

    /** Says whether a value does not fit its column: its form, length or range (class 22), or a null. */
    public static boolean isMisfit(SQLException error) {
        return isDataException(error) || state(error).equals("23502");
    }

    /** Says whether a value has not the form, the length or the range that is asked for (class 22). */
    public static boolean isDataException(SQLException error) {
        return state(error).startsWith("22");
    }

    /** Says whether the server cancelled the statement, as after its timeout. */
    public static boolean isTimeout(SQLException error) {
        return state(error).equals("57014");
    }

    /** Finds the first {@link SQLException} among the causes, or null. */
    public static @Nullable SQLException find(@Nullable Throwable error) {
        for (Throwable e = error; e != null; e = e.getCause()) {
            if (e instanceof SQLException sql) {
                return sql;
            }
        }
        return null;
    }

    /** Returns the SQLSTATE, or an empty text. */
    public static String state(SQLException error) {
        String state = error.getSQLState();
        return state == null ? "" : state;
    }
}
