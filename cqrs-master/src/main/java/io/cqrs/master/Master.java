package io.cqrs.master;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Declares an entity as a master: each committed change of it reaches every replica.
 *
 * <p>The entity needs an integer {@code @Version} and an attribute with {@link
 * io.cqrs.master.hibernate.CqrsUpdated @CqrsUpdated}; {@link MasterEntity} brings both. Fields are called on the wire
 * by their column where {@code @Column} names one, else by their property in snake case; a reference to another entity
 * is that entity's key. Collections are not sent.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface Master {

    /** The model's cqrs id, the same in all services. */
    String value();

    /** The attributes to send, by property name, the id among them; all unless set. */
    String[] fields() default {};

    /** The attributes whose old values are sent when they change, by property name; none unless set. */
    String[] tracked() default {};

    /** Whether changes are sent; the revision counts on either way. */
    boolean produce() default true;
}
