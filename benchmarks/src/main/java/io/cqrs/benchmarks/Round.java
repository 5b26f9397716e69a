package io.cqrs.benchmarks;

/** One round of one side of a measure. */
@FunctionalInterface
interface Round {

    /** Runs the round and returns its figure. */
    double run() throws Exception;

    /** Returns the figure of so many since then, by {@link System#nanoTime}. */
    static double perSecond(double count, long start) {
        return count / ((System.nanoTime() - start) / 1e9);
    }
}
