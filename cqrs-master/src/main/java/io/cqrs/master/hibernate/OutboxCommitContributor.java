package io.cqrs.master.hibernate;

import java.util.Map;
import org.hibernate.boot.registry.StandardServiceInitiator;
import org.hibernate.boot.registry.StandardServiceRegistryBuilder;
import org.hibernate.resource.transaction.backend.jdbc.internal.JdbcResourceLocalTransactionCoordinatorBuilderImpl;
import org.hibernate.resource.transaction.internal.TransactionCoordinatorBuilderInitiator;
import org.hibernate.resource.transaction.spi.TransactionCoordinatorBuilder;
import org.hibernate.service.spi.ServiceContributor;
import org.hibernate.service.spi.ServiceRegistryImplementor;

/**
 * Puts {@link OutboxCommits} around Hibernate's own transactions, and nothing around those of a container; Hibernate finds it
 * by itself. It takes the place of a coordinator's builder that an application adds as an initiator of its own.
 */
public final class OutboxCommitContributor implements ServiceContributor {

    /** Called by Hibernate. */
    public OutboxCommitContributor() {}

    @Override
    public void contribute(StandardServiceRegistryBuilder builder) {
        StandardServiceRegistryBuilder unused = builder.addInitiator(new Initiator());
    }

    private static final class Initiator implements StandardServiceInitiator<TransactionCoordinatorBuilder> {

        @Override
        public Class<TransactionCoordinatorBuilder> getServiceInitiated() {
            return TransactionCoordinatorBuilder.class;
        }

        @Override
        public TransactionCoordinatorBuilder initiateService(
                Map<String, Object> settings, ServiceRegistryImplementor registry) {
            TransactionCoordinatorBuilder chosen =
                    TransactionCoordinatorBuilderInitiator.INSTANCE.initiateService(settings, registry);
            boolean own = chosen.getClass() == JdbcResourceLocalTransactionCoordinatorBuilderImpl.class;
            return own ? new OutboxCommits(chosen) : chosen;
        }
    }
}
