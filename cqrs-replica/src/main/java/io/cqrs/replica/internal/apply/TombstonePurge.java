package io.cqrs.replica.internal.apply;

import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.Transactions;
import io.cqrs.core.schema.CqrsSchema;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;

/** Forgets tombstones, some at a time: nobody waits for an answer for long. Belongs to one connection. */
final class TombstonePurge {

    private final Connection connection;
    private final SessionSql sql;

    TombstonePurge(Connection connection, CqrsSchema schema) {
        this.connection = connection;
        this.sql = new SessionSql(schema);
    }

    /** Forgets those of a model that were received before the cut-off, and remembers up to which time they reached. */
    void run(CqrsId cqrsId, Instant cutOff) throws SQLException {
        OffsetDateTime before = OffsetDateTime.ofInstant(cutOff, ZoneOffset.UTC);
        int purged;
        do {
            purged = Transactions.run(connection, same -> purge(cqrsId.value(), before));
        } while (purged > 0);
    }

    private int purge(String cqrsId, OffsetDateTime before) throws SQLException {
        try (Statement untimed = connection.createStatement()) {
            untimed.execute("set local statement_timeout = 0");
        }
        try (PreparedStatement purge = connection.prepareStatement(sql.purge())) {
            purge.setString(1, cqrsId);
            purge.setObject(2, before);
            purge.setString(3, cqrsId);
            purge.setString(4, cqrsId);
            purge.setObject(5, before);
            return purge.executeUpdate();
        }
    }
}
