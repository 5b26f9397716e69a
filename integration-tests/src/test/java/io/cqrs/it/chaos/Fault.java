package io.cqrs.it.chaos;

import java.util.Random;
import java.util.Set;

/**
 * Something that goes wrong for a while.
 *
 * @param kind what goes wrong
 * @param where of several places, or empty
 * @param parts what it breaks: two faults that share one can't go on at the same time
 * @param begin breaks it
 * @param end mends it
 */
record Fault(String kind, String where, Set<Part> parts, Action begin, Action end) {

    /** What can be broken. */
    enum Part {
        MASTER,
        RELAYS,
        WORKERS,
        HOOKS,
        BROKER,
        MASTER_DATABASE,
        REPLICA_DATABASE
    }

    /** A part of a fault. */
    @FunctionalInterface
    interface Action {
        void run(World world, Random random) throws Exception;
    }

    @Override
    public String toString() {
        return where.isEmpty() ? kind : kind + " (" + where + ")";
    }
}
