package io.cqrs.master.hibernate.model;

import java.util.Objects;
import org.hibernate.Hibernate;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.persister.entity.EntityPersister;
import org.hibernate.proxy.HibernateProxy;
import org.hibernate.proxy.LazyInitializer;

/** Gets at the ids of entities that others refer to. Stateless. */
final class References {

    private References() {}

    /** Returns an entity's id without loading it. */
    static Object id(Object entity, SharedSessionContractImplementor session) {
        LazyInitializer proxy = HibernateProxy.extractLazyInitializer(entity);
        if (proxy != null) {
            return proxy.getIdentifier();
        }
        EntityPersister persister =
                session.getFactory().getMappingMetamodel().findEntityDescriptor(Hibernate.getClass(entity));
        // The values of an id class refer to an entity by its id already.
        return persister == null ? entity : Objects.requireNonNull(persister.getIdentifier(entity, session), "id");
    }
}
