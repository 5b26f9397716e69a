package io.cqrs.master;

import jakarta.persistence.criteria.CriteriaBuilder;
import jakarta.persistence.criteria.CriteriaUpdate;
import jakarta.persistence.criteria.Root;

/**
 * Says what a bulk update sets; revision and time are set besides, and must not be. Called for each statement anew: it must say the same
 * each time.
 *
 * @param <T> the entity
 */
@FunctionalInterface
public interface Assignment<T> {

    /** Sets attributes on the update. */
    void on(CriteriaUpdate<T> update, Root<T> root, CriteriaBuilder builder);
}
