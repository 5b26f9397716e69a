package io.cqrs.master.hibernate;

import io.cqrs.core.SerializationException;
import io.cqrs.transport.WireValues;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZonedDateTime;
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

    /** The wire truncates what is left of a microsecond. */
    private static final int HALF_A_MICRO = 500;

    private static final int LAST_MICRO = 999_999_500;

    /**
     * Returns the wire value of the attribute in a state array, touching neither getters nor lazy proxies.
     *
     * @throws SerializationException if the value has no form on the wire
     */
    @Nullable
    Object read(Object[] state, SharedSessionContractImplementor session) {
        Object value = state[index];
        return WireValues.toWire(reference && value != null ? key(value, session) : asStored(value));
    }

    /** Times as the row has them: the driver rounds to microseconds, so what is sent must be rounded too. */
    private static @Nullable Object asStored(@Nullable Object value) {
        if (value instanceof Instant time) {
            return time.plusNanos(HALF_A_MICRO);
        }
        if (value instanceof OffsetDateTime time) {
            return time.plusNanos(HALF_A_MICRO);
        }
        if (value instanceof LocalDateTime time) {
            return time.plusNanos(HALF_A_MICRO);
        }
        if (value instanceof ZonedDateTime time) {
            return time.plusNanos(HALF_A_MICRO);
        }
        if (value instanceof LocalTime time && time.getNano() < LAST_MICRO) {
            return time.plusNanos(HALF_A_MICRO);
        }
        return value;
    }

    private static @Nullable Object key(Object entity, SharedSessionContractImplementor session) {
        LazyInitializer proxy = HibernateProxy.extractLazyInitializer(entity);
        return proxy != null
                ? proxy.getIdentifier()
                : session.getEntityPersister(null, entity).getIdentifier(entity, session);
    }
}
