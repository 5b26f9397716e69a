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
 * io.cqrs.master.hibernate.CqrsUpdated @CqrsUpdated}; {@link MasterEntity} brings both. Fields are called on the wire by
 * {@link CqrsField @CqrsField}, else by their column where {@code @Column} names one, else by their property in snake
 * case; a reference to another entity is that entity's key, the attributes of an embeddable are fields of their own.
 * Entities that extend a master are sent as that master, with their own fields too, unless they are masters themselves:
 * then syncs and dumps of the one above leave them out, as they have their own.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface Master {

    /** Stands for all attributes, in {@link #fields} and {@link #tracked}. */
    String ALL = "__all__";

    /** The model's cqrs id, the same in all services. */
    String value();

    /** The attributes to send, by property name, the id among them; all that are columns of the row unless set. */
    String[] fields() default {};

    /** The attributes whose old values are sent when they change, by property name; none unless set. */
    String[] tracked() default {};

    /** Whether changes are sent; the revision counts on either way. */
    boolean produce() default true;

    /** What makes the data in place of fields; {@code MasterSerializer} itself stands for none. */
    @SuppressWarnings("rawtypes") // an annotation can't name a parameterized class
    Class<? extends MasterSerializer> serializer() default MasterSerializer.class;

    /** The named entity graph that a serializer's instances are loaded with; none unless set. */
    String entityGraph() default "";

    /**
     * Paths to related entities whose changes send this one again, as in {@code "author"} or {@code "lines.product"}:
     * with a revision of its own, written by the transaction that changes the related row.
     */
    String[] dependsOn() default {};

    /** What is sent when a row no longer is a {@link MasterMixin#isSyncInstance sync instance}; nothing unless set. */
    WhenExcluded whenExcluded() default WhenExcluded.KEEP;

    /** After how many seconds a message is no longer worth applying; {@code cqrs.expiry}, or never, unless set. */
    long expirySeconds() default 0;
}
