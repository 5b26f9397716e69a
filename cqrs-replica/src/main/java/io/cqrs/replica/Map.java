package io.cqrs.replica;

import java.lang.annotation.Documented;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Says that a field of the master fills a property of another name, within {@link Replica#mapping}. */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({})
public @interface Map {

    /** The field's name in the master's messages. */
    String master();

    /** The property's name in the replica entity. */
    String replica();
}
