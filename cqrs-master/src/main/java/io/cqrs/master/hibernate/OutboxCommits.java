package io.cqrs.master.hibernate;

import io.cqrs.master.internal.outbox.LastWrite;
import java.sql.SQLException;
import java.util.Collections;
import java.util.Map;
import java.util.WeakHashMap;
import org.hibernate.TransactionException;
import org.hibernate.engine.spi.SessionFactoryImplementor;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.resource.jdbc.spi.JdbcSessionOwner;
import org.hibernate.resource.jdbc.spi.PhysicalConnectionHandlingMode;
import org.hibernate.resource.transaction.backend.jdbc.spi.JdbcResourceTransaction;
import org.hibernate.resource.transaction.backend.jdbc.spi.JdbcResourceTransactionAccess;
import org.hibernate.resource.transaction.spi.DdlTransactionIsolator;
import org.hibernate.resource.transaction.spi.TransactionCoordinator;
import org.hibernate.resource.transaction.spi.TransactionCoordinatorBuilder;
import org.hibernate.resource.transaction.spi.TransactionCoordinatorOwner;
import org.hibernate.resource.transaction.spi.TransactionStatus;
import org.hibernate.tool.schema.internal.exec.JdbcContext;
import org.jspecify.annotations.Nullable;

/**
 * Lets a transaction's last write go with its commit, in one round trip to the database: of a short transaction the trip is
 * most of what capture costs.
 *
 * <p>Hibernate's own coordinator decides when to commit, after everything else, and how an error of it is told. Only the
 * commit itself is preceded by the write, so the connection's own commit then finds nothing left to do. Only where that
 * one is the driver's ({@link LastWrite#suits}): who wraps it is not gone past. Thread-safe.
 */
final class OutboxCommits implements TransactionCoordinatorBuilder {

    private static final long serialVersionUID = 1L;

    private final transient TransactionCoordinatorBuilder hibernates;
    /** Between the end of a transaction's work and its commit or rollback. */
    private final transient Map<Object, LastWrite> last = Collections.synchronizedMap(new WeakHashMap<>());

    OutboxCommits(TransactionCoordinatorBuilder hibernates) {
        this.hibernates = hibernates;
    }

    /** Finds those of a factory; where others coordinate transactions there are none. */
    static @Nullable OutboxCommits of(SessionFactoryImplementor factory) {
        TransactionCoordinatorBuilder builder =
                factory.getServiceRegistry().requireService(TransactionCoordinatorBuilder.class);
        return builder instanceof OutboxCommits commits ? commits : null;
    }

    /** Takes a write that is to go with the commit of a session's transaction. */
    void put(SharedSessionContractImplementor session, LastWrite write) {
        last.put(session.getJdbcCoordinator(), write);
    }

    /** Returns what was to go with the commit of a session's transaction and does so no more, or null. */
    @Nullable
    LastWrite remove(SharedSessionContractImplementor session) {
        return last.remove(session.getJdbcCoordinator());
    }

    @Override
    public TransactionCoordinator buildTransactionCoordinator(TransactionCoordinatorOwner owner, Options options) {
        return hibernates.buildTransactionCoordinator(new Owner(owner), options);
    }

    @Override
    public boolean isJta() {
        return hibernates.isJta();
    }

    @Override
    public PhysicalConnectionHandlingMode getDefaultConnectionHandlingMode() {
        return hibernates.getDefaultConnectionHandlingMode();
    }

    @Override
    public DdlTransactionIsolator buildDdlTransactionIsolator(JdbcContext context) {
        return hibernates.buildDdlTransactionIsolator(context);
    }

    /** Hibernate's own, but for the transaction that it gives out. */
    private final class Owner implements TransactionCoordinatorOwner, JdbcResourceTransactionAccess {

        private final TransactionCoordinatorOwner owner;

        private Owner(TransactionCoordinatorOwner owner) {
            this.owner = owner;
        }

        @Override
        public JdbcResourceTransaction getResourceLocalTransaction() {
            return new Commit(owner, ((JdbcResourceTransactionAccess) owner).getResourceLocalTransaction());
        }

        @Override
        public boolean isActive() {
            return owner.isActive();
        }

        @Override
        public void startTransactionBoundary() {
            owner.startTransactionBoundary();
        }

        @Override
        public void afterTransactionBegin() {
            owner.afterTransactionBegin();
        }

        @Override
        public void beforeTransactionCompletion() {
            owner.beforeTransactionCompletion();
        }

        @Override
        public void afterTransactionCompletion(boolean successful, boolean delayed) {
            owner.afterTransactionCompletion(successful, delayed);
        }

        @Override
        public JdbcSessionOwner getJdbcSessionOwner() {
            return owner.getJdbcSessionOwner();
        }

        @Override
        public void setTransactionTimeOut(int seconds) {
            owner.setTransactionTimeOut(seconds);
        }

        @Override
        public void flushBeforeTransactionCompletion() {
            owner.flushBeforeTransactionCompletion();
        }
    }

    /** A transaction whose commit takes the last write along. */
    private final class Commit implements JdbcResourceTransaction {

        private final TransactionCoordinatorOwner owner;
        private final JdbcResourceTransaction hibernates;

        private Commit(TransactionCoordinatorOwner owner, JdbcResourceTransaction hibernates) {
            this.owner = owner;
            this.hibernates = hibernates;
        }

        @Override
        public void begin() {
            hibernates.begin();
        }

        @Override
        public void commit() {
            LastWrite write = last.remove(owner);
            if (write != null) {
                commit(write);
            }
            hibernates.commit();
        }

        /** Hibernate 7 rolls back what fails before the end, and what fails in the connection's commit, but nothing else. */
        private void commit(LastWrite write) {
            try {
                write.commit();
            } catch (SQLException e) {
                // As Hibernate says it.
                throw rolledBack(new TransactionException("Unable to commit against JDBC Connection", e));
            } catch (RuntimeException e) {
                throw rolledBack(e);
            }
        }

        private RuntimeException rolledBack(RuntimeException error) {
            try {
                hibernates.rollback();
            } catch (RuntimeException e) {
                error.addSuppressed(e);
            }
            return error;
        }

        @Override
        public void rollback() {
            LastWrite write = last.remove(owner);
            try {
                if (write != null) {
                    write.discard();
                }
            } finally {
                hibernates.rollback();
            }
        }

        @Override
        public TransactionStatus getStatus() {
            return hibernates.getStatus();
        }

        @Override
        public void markRollbackOnly() {
            hibernates.markRollbackOnly();
        }
    }
}
