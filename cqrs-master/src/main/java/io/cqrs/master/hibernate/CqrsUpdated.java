package io.cqrs.master.hibernate;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.hibernate.annotations.ValueGenerationType;

/**
 * Marks the {@code java.time.Instant} that holds the time of an entity's last change, in column {@code cqrs_updated}.
 * Hibernate sets it whenever it writes the row: the master database's time, always later than before.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.FIELD, ElementType.METHOD})
@ValueGenerationType(generatedBy = UpdatedGenerator.class)
public @interface CqrsUpdated {}
