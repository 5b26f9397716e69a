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
 * <p>Settings among the persistence unit's properties:
 *
 * <ul>
 *   <li>{@code cqrs.schema}: the schema of the outbox; {@code cqrs} unless set.
 *   <li>{@code cqrs.context}: a {@link io.cqrs.master.spi.MessageContext}, its class or the class's name.
 *   <li>{@code cqrs.expiry}: after what time a message is no longer worth applying, as in {@code PT24H}; never unless set.
 *   <li>{@code cqrs.max_message_bytes}: the largest message; 16 MiB unless set, as brokers refuse larger ones.
 *   <li>{@code cqrs.uncaptured_dml}: {@link UncapturedDml}; {@code WARN} unless set.
 *   <li>{@code cqrs.clock}: a {@link java.time.InstantSource} in place of the system's clock, for tests.
 * </ul>
 */
public final class CqrsIntegrator implements Integrator {

    /** Called by Hibernate. */
    public CqrsIntegrator() {}

    @Override
    public void integrate(Metadata metadata, BootstrapContext context, SessionFactoryImplementor factory) {
        boolean masters = metadata.getEntityBindings().stream().anyMatch(CqrsIntegrator::isMaster);
        if (masters) {
            CaptureSettings settings = CaptureSettings.of(factory.getProperties());
            Notifier notifier = new Notifier(factory, settings.schema());
            Capture capture = new Capture(settings, notifier);
            EventListenerRegistry registry = factory.getServiceRegistry().requireService(EventListenerRegistry.class);
            registry.appendListeners(EventType.POST_INSERT, capture);
            registry.appendListeners(EventType.POST_UPDATE, capture);
            registry.appendListeners(EventType.PRE_DELETE, new RowsToDelete(capture));
            registry.appendListeners(EventType.POST_DELETE, capture);
            registry.appendListeners(EventType.POST_UPSERT, capture);
            RelatedCollections collections = new RelatedCollections(capture);
            registry.appendListeners(EventType.POST_COLLECTION_RECREATE, collections);
            registry.appendListeners(EventType.POST_COLLECTION_UPDATE, collections);
            registry.appendListeners(EventType.POST_COLLECTION_REMOVE, collections);
            factory.addObserver(new SessionFactoryObserver() {
                private static final long serialVersionUID = 1L;

                @Override
                public void sessionFactoryCreated(SessionFactory created) {
                    capture.readModels(factory);
                    if (factory.getSessionFactoryOptions().getStatementInspector() instanceof DmlInspector inspector) {
                        inspector.watch(
                                capture.models().values(),
                                capture.dependencies().tables(),
                                settings.dml());
                    }
                }

                @Override
                public void sessionFactoryClosing(SessionFactory closing) {
                    notifier.close();
                }
            });
        }
    }

    @Override
    public void disintegrate(SessionFactoryImplementor factory, SessionFactoryServiceRegistry registry) {
        // Listeners go with their factory.
    }

    static boolean isMaster(PersistentClass entity) {
        for (Class<?> type = entity.getMappedClass(); type != null; type = type.getSuperclass()) {
            if (type.isAnnotationPresent(Master.class)) {
                return true;
            }
        }
        return false;
    }
}
