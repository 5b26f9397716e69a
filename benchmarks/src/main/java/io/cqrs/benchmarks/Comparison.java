package io.cqrs.benchmarks;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The figures of a measure and of its floor, taken in turn, so that a machine's moods hit both. */
record Comparison(Measure measure, List<Double> values, List<Double> floors) {

    /**
     * Runs rounds that do not count for so long, one of each at least, since a service that is at work for days has all its code
     * compiled; then the rounds, alternating which side goes first.
     */
    static Comparison of(Measure measure, int rounds, Duration warmUp) throws Exception {
        long start = System.nanoTime();
        do {
            double unusedValue = measure.framework().run();
            double unusedFloor = measure.floor().run();
        } while (System.nanoTime() - start < warmUp.toNanos());
        List<Double> values = new ArrayList<>();
        List<Double> floors = new ArrayList<>();
        for (int round = 0; round < rounds; round++) {
            if (round % 2 == 0) {
                values.add(measure.framework().run());
                floors.add(measure.floor().run());
            } else {
                floors.add(measure.floor().run());
                values.add(measure.framework().run());
            }
        }
        return new Comparison(measure, List.copyOf(values), List.copyOf(floors));
    }

    double value() {
        return median(values);
    }

    double floor() {
        return median(floors);
    }

    /** Returns the median of the rounds' own ratios. */
    double ratio() {
        return median(ratios());
    }

    List<Double> ratios() {
        List<Double> ratios = new ArrayList<>();
        for (int i = 0; i < values.size(); i++) {
            ratios.add(values.get(i) / floors.get(i));
        }
        return ratios;
    }

    static double median(List<Double> figures) {
        List<Double> sorted = figures.stream().sorted().toList();
        int middle = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(middle) : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }

    static double least(List<Double> figures) {
        return figures.stream().mapToDouble(Double::doubleValue).min().orElseThrow();
    }

    static double most(List<Double> figures) {
        return figures.stream().mapToDouble(Double::doubleValue).max().orElseThrow();
    }
}
