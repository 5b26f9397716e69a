package io.cqrs.master.hibernate;

import io.cqrs.core.OutboxException;
import jakarta.transaction.Synchronization;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.engine.transaction.jta.platform.spi.JtaPlatform;
import org.hibernate.resource.transaction.spi.TransactionCoordinatorBuilder;
import org.hibernate.resource.transaction.spi.TransactionStatus;
import org.hibernate.service.ServiceRegistry;

/**
 * Where a container coordinates, has change sets closed that Hibernate does not: it tells its own synchronizations of the commit
 * once, and none that comes later.
 *
 * <p>Managers promise no order. One that tells this before Hibernate finds the session flushed here; what anybody changes between
 * this and Hibernate's own flush is refused.
 */
final class ContainerGuard implements Synchronization {

    private final SharedSessionContractImplementor session;
    private final ChangeSet changes;

    private ContainerGuard(SharedSessionContractImplementor session, ChangeSet changes) {
        this.session = session;
        this.changes = changes;
    }

    /**
     * Guards a change set, unless Hibernate commits, or nobody will.
     *
     * @throws OutboxException if it comes too late to be sent
     */
    static void register(SharedSessionContractImplementor session, ChangeSet changes) {
        ServiceRegistry services = session.getFactory().getServiceRegistry();
        if (changes.isCommittedByHibernate()
                || !services.requireService(TransactionCoordinatorBuilder.class).isJta()
                || isRollbackOnly(session)) {
            return;
        }
        try {
            services.requireService(JtaPlatform.class).registerSynchronization(new ContainerGuard(session, changes));
        } catch (RuntimeException e) {
            OutboxException refused = changes.refuse("a master was written too late in its transaction to be sent");
            refused.addSuppressed(e);
            throw refused;
        }
    }

    /** Says whether the transaction is bound to be rolled back, as behind a flush that failed. */
    static boolean isRollbackOnly(SharedSessionContractImplementor session) {
        return session.getTransactionCoordinator().getTransactionDriverControl().getStatus()
                == TransactionStatus.MARKED_ROLLBACK;
    }

    @Override
    public void beforeCompletion() {
        if (!changes.isDone()) {
            if (session.isOpenOrWaitingForAutoClose()) {
                session.flushBeforeTransactionCompletion();
            }
            changes.close();
        }
    }

    @Override
    public void afterCompletion(int status) {
        // Hibernate tells the change set's own.
    }
}
