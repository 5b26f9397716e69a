package io.cqrs.replica.internal.apply;

import io.cqrs.core.jdbc.SessionSettings;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How a worker's connection is set, and when it is given up. */
final class ApplierSession {

    /** Where no statement timeout says what is too long. */
    private static final Duration ANSWER_WITHIN = Duration.ofMinutes(5);

    private static final Duration GRACE = Duration.ofSeconds(15);

    private ApplierSession() {}

    static SessionSettings open(Connection connection, @Nullable Duration statementTimeout) throws SQLException {
        Map<String, String> settings = new HashMap<>(SessionSql.SETTINGS);
        if (statementTimeout != null) {
            settings.put("statement_timeout", Long.toString(statementTimeout.toMillis()));
            return SessionSettings.set(connection, settings, statementTimeout.plus(GRACE));
        }
        if ("0".equals(lockTimeout(connection))) {
            // A longer wait is begun anew: given up without a word, its session would wait on at the server.
            settings.put(
                    "lock_timeout", Long.toString(ANSWER_WITHIN.minus(GRACE).toMillis()));
        }
        return SessionSettings.set(connection, settings, ANSWER_WITHIN);
    }

    private static String lockTimeout(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("show lock_timeout")) {
            row.next();
            return row.getString(1);
        }
    }
}
