package io.cqrs.master.hibernate;

import io.cqrs.core.OutboxException;
import io.cqrs.master.internal.outbox.LastWrite;
import java.sql.SQLException;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.WeakHashMap;
import org.hibernate.TransactionException;
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
    private final transient Map<Object, Ending> endings = Collections.synchronizedMap(new WeakHashMap<>());

    OutboxCommits(TransactionCoordinatorBuilder hibernates) {
        this.hibernates = hibernates;
    }

    /** Has the session's transaction not committed before a change set is written. */
    static void expect(SharedSessionContractImplementor session) {
        OutboxCommits commits = of(session);
        if (commits != null) {
            commits.ending(session).unwritten++;
        }
    }

    /** Takes note that a change set that was expected is written, or left to the commit. */
    static void met(SharedSessionContractImplementor session) {
        OutboxCommits commits = of(session);
        if (commits != null) {
            commits.ending(session).unwritten--;
        }
    }

    /** Says whether a write can be left to the commit of the session's transaction. */
    static boolean suits(SharedSessionContractImplementor session) {
        return of(session) != null && LastWrite.suits(Sessions.connection(session));
    }

    /** Leaves a write to the commit of the session's transaction. */
    static void leave(SharedSessionContractImplementor session, LastWrite write) {
        Objects.requireNonNull(of(session), "commits").ending(session).last = write;
    }

    /** Writes now what was left to the commit of the session's transaction: something else is to come behind it. */
    static void writeLeft(SharedSessionContractImplementor session) {
        OutboxCommits commits = of(session);
        Ending ending = commits == null ? null : commits.endings.get(session.getJdbcCoordinator());
        if (ending != null && ending.last != null) {
            LastWrite left = ending.last;
            ending.last = null;
            left.writeNow();
        }
    }

    /** Where others coordinate transactions there are none. */
    private static @Nullable OutboxCommits of(SharedSessionContractImplementor session) {
        TransactionCoordinatorBuilder builder =
                session.getFactory().getServiceRegistry().requireService(TransactionCoordinatorBuilder.class);
        return builder instanceof OutboxCommits commits ? commits : null;
    }

    private Ending ending(SharedSessionContractImplementor session) {
        return endings.computeIfAbsent(session.getJdbcCoordinator(), one -> new Ending());
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
        private @Nullable Commit commit;

        private Owner(TransactionCoordinatorOwner owner) {
            this.owner = owner;
        }

        @Override
        public JdbcResourceTransaction getResourceLocalTransaction() {
            commit = new Commit(owner, ((JdbcResourceTransactionAccess) owner).getResourceLocalTransaction());
            return commit;
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
            try {
                if (commit != null && commit.failed) {
                    // Hibernate before 7.4 has done so by now.
                    commit.rollback();
                }
            } finally {
                owner.afterTransactionCompletion(successful, delayed);
            }
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

    /** What a transaction has to do before its commit. Belongs to its thread. */
    private static final class Ending {

        private int unwritten;
        private @Nullable LastWrite last;

        private void commit() {
            if (unwritten > 0) {
                throw new OutboxException(
                        "a session that shares the transaction was flushed after the transaction's changes were written to"
                                + " the outbox: flush or close it before the commit",
                        null);
            }
            try {
                if (last != null) {
                    last.commit();
                }
            } catch (SQLException e) {
                // As Hibernate says it.
                throw new TransactionException("Unable to commit against JDBC Connection", e);
            }
        }
    }

    /** A transaction whose commit takes the last write along. */
    private final class Commit implements JdbcResourceTransaction {

        private final TransactionCoordinatorOwner owner;
        private final JdbcResourceTransaction hibernates;
        private boolean failed;

        private Commit(TransactionCoordinatorOwner owner, JdbcResourceTransaction hibernates) {
            this.owner = owner;
            this.hibernates = hibernates;
        }

        @Override
        public void begin() {
            Ending unused = endings.remove(owner);
            hibernates.begin();
        }

        @Override
        public void commit() {
            Ending ending = endings.remove(owner);
            if (ending != null) {
                failed = true;
                ending.commit();
                failed = false;
            }
            hibernates.commit();
        }

        @Override
        public void rollback() {
            failed = false;
            Ending ending = endings.remove(owner);
            if (ending != null && ending.last != null) {
                ending.last.discard();
            }
            hibernates.rollback();
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
