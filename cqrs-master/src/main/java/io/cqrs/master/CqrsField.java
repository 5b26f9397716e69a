package io.cqrs.master;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Names an attribute of a {@link Master} on the wire; on a collection of values it also has the collection sent, which is
 * left out otherwise.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.FIELD, ElementType.METHOD})
public @interface CqrsField {

    /** The name on the wire; the attribute's own in snake case unless set. */
    String value() default "";
}
