package io.cqrs.master.hibernate.model;

import org.jspecify.annotations.Nullable;

/** How the values of one attribute become wire values, touching neither getters nor lazy proxies. Thread-safe. */
@FunctionalInterface
interface WireForm {

    /**
     * Returns the wire value.
     *
     * @throws io.cqrs.core.SerializationException if the value has no form on the wire
     */
    @Nullable
    Object toWire(@Nullable Object value, WireContext context);
}
