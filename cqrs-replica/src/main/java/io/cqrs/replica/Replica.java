package io.cqrs.replica;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Declares an entity as the local copy of a master's entity.
 *
 * <p>Its table needs the columns {@code cqrs_revision} and {@code cqrs_updated}, which {@link ReplicaEntity} brings.
 * Fields of the master that the entity lacks are dropped.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface Replica {

    /** The model's cqrs id, the same as the master's. */
    String value();

    /** Fields that are called otherwise here; all others carry the master's name in snake case. */
    Map[] mapping() default {};

    /** What decides which of two states is the newer one. */
    Order order() default Order.UPDATED;

    /** Whether syncs that a master sends to all replicas are skipped here, and only those to this queue applied. */
    boolean onlyDirectSyncs() default false;

    /** The hooks; without any, rows are written set by set, many times faster. */
    Class<? extends ReplicaHandler<?>> handler() default None.class;

    /** Whether the hooks alone make rows of the data: nothing is mapped, no field is needed. Needs a {@link #handler}. */
    boolean customSerialization() default false;

    /** No hooks. */
    abstract class None extends ReplicaHandler<Object> {
        private None() {}
    }
}
