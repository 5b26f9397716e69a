package io.cqrs.master;

/**
 * Makes the data of a model's messages, in place of its fields: related rows may be nested.
 *
 * <p>Called before the commit with instances of its own, loaded within the transaction as it is about to be committed,
 * in one query for many with the entity graph that {@link Master#entityGraph} names; what the graph lacks is loaded when
 * it is touched. What it changes is not saved. Made by the application's container where Hibernate has one, else by its
 * constructor without parameters. Has to be thread-safe; an exception aborts the commit.
 *
 * @param <T> the entity
 */
@FunctionalInterface
public interface MasterSerializer<T> {

    /**
     * Returns the data: a record, whose components are named in snake case, or a map. The key is added where it is
     * missing, revision and time always.
     *
     * @param entity an instance to read only
     */
    Object serialize(T entity);
}
