package io.cqrs.master.hibernate;

import io.cqrs.core.OutboxException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.hibernate.CacheMode;
import org.hibernate.ConnectionReleaseMode;
import org.hibernate.Filter;
import org.hibernate.FlushMode;
import org.hibernate.Session;
import org.hibernate.SessionFactory;
import org.hibernate.SharedSessionBuilder;
import org.hibernate.engine.spi.SessionImplementor;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.resource.jdbc.spi.LogicalConnectionImplementor;

/** Gets at what a Hibernate session works with. Stateless. */
final class Sessions {

    private Sessions() {}

    /** Returns the connection of the session's transaction. */
    static Connection connection(SharedSessionContractImplementor session) {
        return session.getJdbcCoordinator().getLogicalConnection().getPhysicalConnection();
    }

    /**
     * Opens a session that reads what this one's transaction has written, with instances of its own, and never writes. The
     * second-level cache is left alone: it must not learn of what may be rolled back, nor tell what was before.
     */
    static Session openReader(SharedSessionContractImplementor session) {
        SessionFactory factory = session.getFactory();
        Session reader = factory.withOptions()
                .tenantIdentifier(session.getTenantIdentifierValue())
                .connection(connection(session))
                .flushMode(FlushMode.MANUAL)
                .openSession();
        return reading(reader);
    }

    /** Opens a session that reads, and never writes, in transactions of its own. */
    static Session openReader(SessionFactory factory) {
        return reading(factory.withOptions().flushMode(FlushMode.MANUAL).openSession());
    }

    private static Session reading(Session reader) {
        reader.setDefaultReadOnly(true);
        reader.setCacheMode(CacheMode.IGNORE);
        List<Filter> unused = Filters.disable((SharedSessionContractImplementor) reader);
        return reader;
    }

    /**
     * Opens a session within this one's transaction, with instances of its own and none of its filters. The second-level
     * cache learns of nothing but that it is not up to date.
     */
    static Session openWithin(SessionImplementor session) {
        SharedSessionBuilder builder = session.sessionWithOptions().connection();
        Session within = builder.flushMode(FlushMode.MANUAL).openSession();
        within.setCacheMode(CacheMode.IGNORE);
        List<Filter> unused = Filters.disable((SharedSessionContractImplementor) within);
        return within;
    }

    /**
     * Does what needs the connection that a session has now. Where a container coordinates, the session gives it back behind each
     * statement, and who opened a reader on it is left with a closed one: but not while a statement is registered.
     *
     * @throws OutboxException if the connection refuses a statement
     */
    static void holdingConnection(SharedSessionContractImplementor session, Runnable work) {
        LogicalConnectionImplementor logical = session.getJdbcCoordinator().getLogicalConnection();
        if (logical.getConnectionHandlingMode().getReleaseMode() != ConnectionReleaseMode.AFTER_STATEMENT) {
            work.run();
            return;
        }
        try (Statement held = connection(session).createStatement()) {
            logical.getResourceRegistry().register(held, false);
            try {
                work.run();
            } finally {
                logical.getResourceRegistry().release(held);
            }
        } catch (SQLException e) {
            throw new OutboxException("the session's connection could not be kept: " + e.getMessage(), e);
        }
    }

    /**
     * Refuses what would be committed by itself, and never sent.
     *
     * @throws OutboxException if no transaction is in progress
     */
    static void requireTransaction(SharedSessionContractImplementor session) {
        if (!session.isTransactionInProgress()) {
            throw new OutboxException(
                    "a master is written outside of a transaction, unseen by capture: begin one", null);
        }
    }
}
