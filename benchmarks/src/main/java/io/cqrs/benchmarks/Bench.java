package io.cqrs.benchmarks;

import java.util.List;

/** Measures that share what they need: servers, tables, queues. */
interface Bench extends AutoCloseable {

    /** Returns the measures, each with a name of its own. */
    List<Measure> measures();

    @Override
    void close() throws Exception;
}
