package io.cqrs.core.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;

/** Asks a database for its time. Stateless. */
public final class DatabaseClock {

    private DatabaseClock() {}

    /**
     * Returns the time of a database.
     *
     * @throws SQLException if it refuses, or is gone
     */
    public static Instant now(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("select clock_timestamp()");
                ResultSet row = statement.executeQuery()) {
            row.next();
            return row.getObject(1, OffsetDateTime.class).toInstant();
        }
    }
}
