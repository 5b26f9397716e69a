package io.cqrs.core.jdbc;

import java.sql.Connection;
import java.sql.SQLException;

/** Opens connections that the caller closes; {@code dataSource::getConnection} is one. */
@FunctionalInterface
public interface ConnectionSource {

    /**
     * Opens a connection.
     *
     * @throws SQLException if the database can't be reached or refuses
     */
    Connection open() throws SQLException;
}
