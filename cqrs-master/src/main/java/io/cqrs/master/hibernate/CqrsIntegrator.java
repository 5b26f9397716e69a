package io.cqrs.master.hibernate;

import io.cqrs.master.Master;
import org.hibernate.SessionFactory;
import org.hibernate.SessionFactoryObserver;
import org.hibernate.boot.Metadata;
import org.hibernate.boot.spi.BootstrapContext;
import org.hibernate.engine.spi.SessionFactoryImplementor;
import org.hibernate.event.service.spi.EventListenerRegistry;
import org.hibernate.event.spi.EventType;
import org.hibernate.integrator.spi.Integrator;
import org.hibernate.mapping.PersistentClass;
import org.hibernate.service.spi.SessionFactoryServiceRegistry;

/**
 * Switches capture on in each session factory that has a {@link Master}; Hibernate finds it by itself.
 *
 * <p>Settings among the persistence unit's properties: {@code cqrs.schema}, the schema of the outbox ({@code cqrs}
 * unless set); {@code cqrs.clock}, a {@link java.time.InstantSource} in place of the system's clock, for tests.
 */
public final class CqrsIntegrator implements Integrator {

    /** Called by Hibernate. */
    public CqrsIntegrator() {}

    @Override
    public void integrate(Metadata metadata, BootstrapContext context, SessionFactoryImplementor factory) {
        boolean masters = metadata.getEntityBindings().stream().anyMatch(CqrsIntegrator::isMaster);
        if (masters) {
            Capture capture = new Capture(factory.getProperties());
            EventListenerRegistry registry = factory.getServiceRegistry().requireService(EventListenerRegistry.class);
            registry.appendListeners(EventType.POST_INSERT, capture);
            registry.appendListeners(EventType.POST_UPDATE, capture);
            registry.appendListeners(EventType.POST_DELETE, capture);
            registry.appendListeners(EventType.POST_UPSERT, capture);
            factory.addObserver(new SessionFactoryObserver() {
                private static final long serialVersionUID = 1L;

                @Override
                public void sessionFactoryCreated(SessionFactory created) {
                    capture.readModels(factory);
                }
            });
        }
    }

    @Override
    public void disintegrate(SessionFactoryImplementor factory, SessionFactoryServiceRegistry registry) {
        // Listeners go with their factory.
    }

    private static boolean isMaster(PersistentClass entity) {
        Class<?> type = entity.getMappedClass();
        return type != null && type.isAnnotationPresent(Master.class);
    }
}
