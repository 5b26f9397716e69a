package io.cqrs.core.jdbc;

import java.sql.SQLException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Tells what kind of trouble an {@link SQLException} is, by its SQLSTATE (PostgreSQL manual, appendix A). */
public final class SqlStates {

    /** Rolled back by no fault of the statement: serialization failure, deadlock, lock not available, cancelled. */
    private static final Set<String> CONTENTION = Set.of("40001", "40P01", "55P03", "57014");

    private SqlStates() {}

    /** Says whether the same transaction may succeed when run again on a working connection. */
    public static boolean isContention(SQLException error) {
        return CONTENTION.contains(state(error));
    }

    /**
     * Says whether the connection or the server is gone (class 08, 57P01 to 57P05) or out of resources (class 53), or
     * the server is read-only for now (25006, a standby).
     */
    public static boolean isUnavailable(SQLException error) {
        String state = state(error);
        return state.startsWith("08") || state.startsWith("57P") || state.startsWith("53") || state.equals("25006");
    }

    /** Says whether a foreign key's target is missing (23503). */
    public static boolean isMissingParent(SQLException error) {
        return state(error).equals("23503");
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

    private static String state(SQLException error) {
        String state = error.getSQLState();
        return state == null ? "" : state;
    }
}
