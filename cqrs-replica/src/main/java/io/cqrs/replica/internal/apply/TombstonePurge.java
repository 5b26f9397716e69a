package io.cqrs.replica.internal.apply;

import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.Transactions;
import io.cqrs.core.schema.CqrsSchema;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;

/** Forgets tombstones, some at a time: nobody waits for an answer for long. Belongs to one connection. */
final class TombstonePurge {

    private final Connection connection;
    private final SessionSql sql;

    TombstonePurge(Connection connection, CqrsSchema schema) {
        this.connection = connection;
        this.sql = new SessionSql(schema);
    }

    /** Forgets those of a model that were received so long ago, and remembers up to which time they reached. */
    void run(CqrsId cqrsId, Duration age) throws SQLException {
        int purged;
        do {
            purged = Transactions.run(connection, same -> purge(cqrsId.value(), age.toSeconds()));
        } while (purged > 0);
    }

    private int purge(String cqrsId, long seconds) throws SQLException {
        try (Statement untimed = connection.createStatement()) {
            untimed.execute("set local statement_timeout = 0");
        }
        try (PreparedStatement purge = connection.prepareStatement(sql.purge())) {
            purge.setString(1, cqrsId);
            purge.setLong(2, seconds);
            purge.setString(3, cqrsId);
            purge.setString(4, cqrsId);
            purge.setLong(5, seconds);
            return purge.executeUpdate();
        }
    }
}
