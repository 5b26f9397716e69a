package io.cqrs.benchmarks;

import java.util.List;

/** Something that is measured beside its floor: a bare loop that does the least work with the same durability. */
interface Measure {

    /** Returns the name on the command line. */
    String name();

    /** Returns what the figures count, as in {@code rows/s}. */
    String unit();

    /** Returns what both sides share: queue type, batch, prefetch, durability. */
    List<String> conditions();

    /** Runs one round of the framework and returns its figure. */
    double run() throws Exception;

    /** Runs one round of the bare loop and returns its figure. */
    double runFloor() throws Exception;
}
