package io.cqrs.master.hibernate;

import io.cqrs.master.internal.outbox.LastWrite;
import java.lang.ref.WeakReference;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets a transaction's last write go with its commit, in one round trip to the database: of a short transaction the trip is
 * most of what capture costs.
 *
 * <p>Hibernate's own coordinator decides when to commit, after everything else, and how an error of it is told. Only the
 * commit itself is preceded by the write, so the connection's own commit then finds nothing left to do. Only where that
 * one is the driver's ({@link LastWrite#suits}): who wraps it is not gone past. Thread-safe.
 */
final class OutboxCommits implements TransactionCoordinatorBuilder {

    private static final Logger LOG = LoggerFactory.getLogger(OutboxCommits.class);
    private static final long serialVersionUID = 1L;

    private final transient TransactionCoordinatorBuilder hibernates;
    /** By the owner of the transaction. Change sets hold theirs: an ending that nobody holds has nothing to do. */
    private final transient Map<Object, WeakReference<Ending>> endings =
            Collections.synchronizedMap(new WeakHashMap<>());

    OutboxCommits(TransactionCoordinatorBuilder hibernates) {
        this.hibernates = hibernates;
    }

    /** Returns what ends the session's transaction; where that is up to others, nothing is left to it. */
    static Ending of(SharedSessionContractImplementor session) {
        TransactionCoordinatorBuilder builder =
                session.getFactory().getServiceRegistry().requireService(TransactionCoordinatorBuilder.class);
        return builder instanceof OutboxCommits commits
                ? commits.ending(session.getJdbcCoordinator())
                : new Ending(false);
    }

    private Ending ending(Object owner) {
        @Nullable Ending known = find(owner);
        if (known != null) {
            return known;
        }
        Ending begun = new Ending(true);
        endings.put(owner, new WeakReference<>(begun));
        return begun;
    }

    private @Nullable Ending find(Object owner) {
        WeakReference<Ending> known = endings.get(owner);
        return known == null ? null : known.get();
    }

    private void end(Object owner, @Nullable Ending ending) {
        if (ending != null) {
            ending.over = true;
            @Nullable WeakReference<Ending> unused = endings.remove(owner);
        }
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
            } catch (RuntimeException e) {
                LOG.debug("a commit that failed could not be rolled back, and ends with its connection", e);
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
    static final class Ending {

        private final boolean commits;
        private final Set<ChangeSet> unwritten = new LinkedHashSet<>();
        private @Nullable LastWrite last;
        private boolean over;

        private Ending(boolean commits) {
            this.commits = commits;
        }

        /** Says whether the commit is Hibernate's own. */
        boolean commits() {
            return commits;
        }

        /** Says whether the transaction was committed or rolled back. */
        boolean isOver() {
            return over;
        }

        /** Has a change set closed before a commit of ours, whenever it was begun. */
        void expect(ChangeSet changes) {
            boolean unused = unwritten.add(changes);
        }

        /** Keeps the commit from being made: ours by the change set's refusal, others' by telling who coordinates. */
        void refuse(ChangeSet changes, SharedSessionContractImplementor session) {
            expect(changes);
            if (!commits) {
                session.getTransactionCoordinator()
                        .getTransactionDriverControl()
                        .markRollbackOnly();
            }
        }

        /** Takes note that a change set was closed. */
        void closed(ChangeSet changes) {
            boolean unused = unwritten.remove(changes);
        }

        /** Says whether a write may be left to the commit. */
        boolean takes(Connection connection) {
            return commits && LastWrite.suits(connection);
        }

        /** Leaves a write to the commit. */
        void leave(LastWrite write) {
            last = write;
        }

        /** Writes now what was left to the commit: something else is to come behind it. */
        void writeLeft() {
            LastWrite left = last;
            last = null;
            if (left != null) {
                left.writeNow();
            }
        }

        private void commit() {
            // Sessions that share the transaction may be flushed after the synchronizations that close change sets.
            List.copyOf(unwritten).forEach(ChangeSet::close);
            try {
                if (last != null) {
                    last.commit();
                }
            } catch (SQLException e) {
                // As Hibernate says it.
                throw new TransactionException("Unable to commit against JDBC Connection", e);
            }
        }

        private void discard() {
            if (last != null) {
                last.discard();
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
            failed = false;
            end(owner, find(owner));
            hibernates.begin();
        }

        @Override
        public void commit() {
            if (failed) {
                throw new TransactionException("The commit has failed: roll back");
            }
            Ending ending = find(owner);
            if (ending != null) {
                failed = true;
                ending.commit();
                failed = false;
            }
            end(owner, ending);
            hibernates.commit();
        }

        @Override
        public void rollback() {
            failed = false;
            Ending ending = find(owner);
            if (ending != null) {
                ending.discard();
            }
            end(owner, ending);
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
