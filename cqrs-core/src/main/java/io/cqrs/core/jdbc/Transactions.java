package io.cqrs.core.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;

/** Runs work in one transaction of the connection's isolation. Stateless. */
public final class Transactions {

    private Transactions() {}

    /**
     * Work on a connection.
     *
     * @param <T> its result
     */
    @FunctionalInterface
    public interface Work<T> {
        /**
         * Does the work.
         *
         * @throws SQLException if the database refuses it
         */
        T run(Connection connection) throws SQLException;
    }

    /**
     * Runs the work and commits it; rolls back whatever it throws. The connection is left in autocommit mode.
     *
     * @throws SQLException from the work, the commit, or a connection that is lost
     */
    public static <T> T run(Connection connection, Work<T> work) throws SQLException {
        connection.setAutoCommit(false);
        try {
            T result = work.run(connection);
            connection.commit();
            connection.setAutoCommit(true);
            return result;
        } catch (SQLException | RuntimeException | Error e) {
            rollBack(connection, e);
            throw e;
        }
    }

    private static void rollBack(Connection connection, Throwable cause) {
        try {
            connection.rollback();
            connection.setAutoCommit(true);
        } catch (SQLException e) {
            cause.addSuppressed(e);
        }
    }

    /**
     * Has the transaction give up a lock that it does not get within half a second: less than {@code deadlock_timeout}, so that
     * it is never a live writer who has to give way.
     *
     * @throws SQLException if the database refuses
     */
    public static void yieldToWriters(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("set local lock_timeout = '500ms'");
        }
    }
}
