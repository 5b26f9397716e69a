package io.cqrs.benchmarks;

import io.cqrs.tools.servers.Servers;
import io.cqrs.transport.Wire;
import java.util.ArrayList;
import java.util.List;

/**
 * How the cost of a change grows with how many wait: many of them beside a tenth, so 1 is linear. And what more workers
 * gain: beside one, so below 1 they are in each other's way.
 */
final class ScalingBench implements Bench {

    private static final int TIMES = 10;

    private final PublishBench manyInOutbox;
    private final PublishBench fewInOutbox;
    private final ApplyBench manyInQueue;
    private final ApplyBench fewInQueue;

    private ScalingBench(
            PublishBench manyInOutbox, PublishBench fewInOutbox, ApplyBench manyInQueue, ApplyBench fewInQueue) {
        this.manyInOutbox = manyInOutbox;
        this.fewInOutbox = fewInOutbox;
        this.manyInQueue = manyInQueue;
        this.fewInQueue = fewInQueue;
    }

    static ScalingBench build(Servers servers, int rows, String queueType) throws Exception {
        return new ScalingBench(
                PublishBench.build(servers, rows, queueType),
                PublishBench.build(servers, rows / TIMES, queueType),
                ApplyBench.build(servers, rows, queueType),
                ApplyBench.build(servers, rows / TIMES, queueType));
    }

    @Override
    public List<Measure> measures() {
        return List.of(
                new Measure(
                        "backlog-outbox",
                        "rows/s",
                        conditions(
                                "beside a tenth of the rows",
                                manyInOutbox.conditions(),
                                "many changes a message, outbox vacuumed and written back before"),
                        () -> manyInOutbox.relayWaiting(Wire.BATCH),
                        () -> fewInOutbox.relayWaiting(Wire.BATCH)),
                queue("backlog-queue", Wire.SINGLE, "one change a message"),
                queue("backlog-queue-batch", Wire.BATCH, "500 changes a message"),
                workers(2),
                workers(4));
    }

    private Measure queue(String name, Wire wire, String changes) {
        return new Measure(
                name,
                "rows/s",
                conditions("beside a tenth of the rows", manyInQueue.conditions(), changes),
                () -> manyInQueue.apply(1, wire),
                () -> fewInQueue.apply(1, wire));
    }

    private Measure workers(int count) {
        return new Measure(
                "workers-" + count,
                "rows/s",
                conditions(count + " workers beside 1", manyInQueue.conditions(), "one change a message"),
                () -> manyInQueue.apply(count, Wire.SINGLE),
                () -> manyInQueue.apply(1, Wire.SINGLE));
    }

    private static List<String> conditions(String first, List<String> shared, String last) {
        List<String> conditions = new ArrayList<>();
        conditions.add(first);
        conditions.addAll(shared);
        conditions.add(last);
        return List.copyOf(conditions);
    }

    @Override
    public void close() throws InterruptedException {
        manyInOutbox.close();
        fewInOutbox.close();
        manyInQueue.close();
        fewInQueue.close();
    }
}
