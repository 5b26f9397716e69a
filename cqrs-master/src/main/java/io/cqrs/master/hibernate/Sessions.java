package io.cqrs.master.hibernate;

import java.sql.Connection;
import org.hibernate.engine.spi.SharedSessionContractImplementor;

/** Gets at what a Hibernate session works with. Stateless. */
final class Sessions {

    private Sessions() {}

    /** Returns the connection of the session's transaction. */
    static Connection connection(SharedSessionContractImplementor session) {
        return session.getJdbcCoordinator().getLogicalConnection().getPhysicalConnection();
    }
}
