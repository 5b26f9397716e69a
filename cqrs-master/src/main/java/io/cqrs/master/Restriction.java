package io.cqrs.master;

import jakarta.persistence.criteria.CriteriaBuilder;
import jakarta.persistence.criteria.Predicate;
import jakarta.persistence.criteria.Root;

/**
 * Says which entities are meant. Called for each statement anew: it must say the same each time.
 *
 * @param <T> the entity
 */
@FunctionalInterface
public interface Restriction<T> {

    /** Returns the condition on an entity. */
    Predicate on(Root<T> root, CriteriaBuilder builder);

    /** Means all entities. */
    static <T> Restriction<T> all() {
        return (root, builder) -> builder.conjunction();
    }
}
