package io.cqrs.benchmarks;

import java.util.List;

/**
 * Something that is measured beside its floor: a bare loop that does the least work with the same durability.
 *
 * @param name on the command line
 * @param unit what the figures count, as in {@code rows/s}
 * @param conditions what both sides share: queue type, batch, prefetch, durability
 * @param framework the framework's side
 * @param floor the bare loop's side
 */
record Measure(String name, String unit, List<String> conditions, Round framework, Round floor) {}
