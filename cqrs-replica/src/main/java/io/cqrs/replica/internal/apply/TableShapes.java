package io.cqrs.replica.internal.apply;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

/**
 * Notices that a table was altered since it was read: by a hash of its name, columns and keys, and of whether it has other
 * unique columns. A transaction that has written a table keeps others from altering it, so what it finds at its end held
 * for what it wrote. Belongs to one connection.
 */
final class TableShapes {

    private final Connection connection;

    TableShapes(Connection connection) {
        this.connection = connection;
    }

    /** Returns the hashes of the tables that are there, by their oids. */
    Map<Long, Long> read(Collection<Long> tables) throws SQLException {
        Map<Long, Long> shapes = new HashMap<>();
        try (PreparedStatement statement = connection.prepareStatement(CatalogueSql.shapes(tables.size()))) {
            int parameter = 1;
            for (Long table : tables) {
                statement.setLong(parameter++, table);
            }
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    shapes.put(row.getLong(1), row.getLong(2));
                }
            }
        }
        return shapes;
    }

    /**
     * Makes sure that tables are as they were when they were read.
     *
     * @throws TableAlteredException if one is not
     */
    void requireUnaltered(Collection<ReplicaTable> tables) throws SQLException {
        if (tables.isEmpty()) {
            return;
        }
        Map<Long, Long> shapes = read(tables.stream().map(ReplicaTable::oid).toList());
        for (ReplicaTable table : tables) {
            Long shape = shapes.get(table.oid());
            if (shape == null || shape != table.shape()) {
                throw new TableAlteredException(table);
            }
        }
    }
}
