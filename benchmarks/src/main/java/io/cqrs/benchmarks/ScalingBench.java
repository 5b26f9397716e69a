package io.cqrs.benchmarks;

import io.cqrs.tools.servers.Servers;
import java.util.ArrayList;
import java.util.List;

/** How the cost of a change grows with how many wait: many of them beside a tenth, so 1 is linear. */
final class ScalingBench implements Bench {

    private static final int TIMES = 10;

    private final List<Bench> opened;
    private final List<Measure> measures;

    private ScalingBench(List<Bench> opened, List<Measure> measures) {
        this.opened = opened;
        this.measures = measures;
    }

    static ScalingBench build(Servers servers, int rows, String queueType) throws InterruptedException {
        Bench manyInOutbox = PublishBench.build(servers, rows, queueType);
        Bench fewInOutbox = PublishBench.build(servers, rows / TIMES, queueType);
        Bench manyInQueue = ApplyBench.build(servers, rows, queueType);
        Bench fewInQueue = ApplyBench.build(servers, rows / TIMES, queueType);
        List<Measure> measures = new ArrayList<>();
        measures.add(
                new Backlog("backlog-outbox", find(manyInOutbox, "publish-batch"), find(fewInOutbox, "publish-batch")));
        measures.add(new Backlog("backlog-queue", find(manyInQueue, "apply-1"), find(fewInQueue, "apply-1")));
        return new ScalingBench(List.of(manyInOutbox, fewInOutbox, manyInQueue, fewInQueue), List.copyOf(measures));
    }

    private static Measure find(Bench bench, String name) {
        return bench.measures().stream()
                .filter(one -> one.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    @Override
    public List<Measure> measures() {
        return measures;
    }

    @Override
    public void close() throws Exception {
        for (Bench bench : opened) {
            bench.close();
        }
    }

    /** A measure beside itself with fewer rows. */
    private record Backlog(String name, Measure many, Measure few) implements Measure {

        @Override
        public String unit() {
            return many.unit();
        }

        @Override
        public List<String> conditions() {
            List<String> conditions = new ArrayList<>(List.of("beside a tenth of the rows"));
            many.conditions().stream().filter(one -> !one.contains("floor")).forEach(conditions::add);
            return conditions;
        }

        @Override
        public double run() throws Exception {
            return many.run();
        }

        @Override
        public double runFloor() throws Exception {
            return few.run();
        }
    }
}
