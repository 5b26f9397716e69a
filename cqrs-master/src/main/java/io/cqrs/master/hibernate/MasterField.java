package io.cqrs.master.hibernate;

import io.cqrs.core.SerializationException;
import io.cqrs.transport.WireValues;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.proxy.HibernateProxy;
import org.hibernate.proxy.LazyInitializer;
import org.jspecify.annotations.Nullable;

/**
 * An attribute that is sent.
 *
 * @param property the attribute's name
 * @param name its name on the wire
 * @param index its place among Hibernate's properties
 * @param reference whether it refers to another entity, whose key is sent
 */
record MasterField(String property, String name, int index, boolean reference) {

    /**
     * Returns the wire value of the attribute in a state array, touching neither getters nor lazy proxies.
     *
     * @throws SerializationException if the value has no form on the wire
     */
    @Nullable
    Object read(Object[] state, SharedSessionContractImplementor session) {
        Object value = state[index];
        return WireValues.toWire(reference && value != null ? key(value, session) : value);
    }

    private static @Nullable Object key(Object entity, SharedSessionContractImplementor session) {
        LazyInitializer proxy = HibernateProxy.extractLazyInitializer(entity);
        return proxy != null
                ? proxy.getIdentifier()
                : session.getEntityPersister(null, entity).getIdentifier(entity, session);
    }
}
