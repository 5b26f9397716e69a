package io.cqrs.it.chaos;

import io.cqrs.core.lifecycle.Waiter;
import io.cqrs.it.chaos.Fault.Part;
import java.time.Duration;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Has faults come and go for a while, several at a time where they break different parts, each kind as often as the others. */
final class Schedule {

    private static final int LANES = 3;

    private final World world;
    private final Random random;
    private final Map<String, Integer> counts = new TreeMap<>();
    private final Set<Part> broken = EnumSet.noneOf(Part.class);
    private List<Fault> bag = new ArrayList<>();
    private int active;
    private int overlapping;

    Schedule(World world, long seed) {
        this.world = world;
        this.random = new Random(seed);
    }

    /** Returns when the time is over and all is mended. */
    void run(Duration time) throws Exception {
        long end = System.nanoTime() + time.toNanos();
        ExecutorService lanes = Executors.newFixedThreadPool(LANES);
        try {
            List<Future<?>> running = new ArrayList<>();
            for (int lane = 0; lane < LANES; lane++) {
                Random own = new Random(random.nextLong());
                running.add(lanes.submit(() -> {
                    while (System.nanoTime() < end) {
                        breakSomething(own);
                    }
                    return own;
                }));
            }
            for (Future<?> one : running) {
                Object unused = one.get();
            }
        } finally {
            lanes.shutdownNow();
            boolean unused = lanes.awaitTermination(2, TimeUnit.MINUTES);
        }
    }

    /** Returns how many faults of each kind there were. */
    synchronized Map<String, Integer> counts() {
        return new TreeMap<>(counts);
    }

    /** Returns how many began while another one went on. */
    synchronized int overlapping() {
        return overlapping;
    }

    private void breakSomething(Random own) throws Exception {
        Fault fault = take();
        if (fault != null) {
            try {
                log("begins: " + fault);
                fault.begin().run(world, own);
                pause(500 + own.nextInt(5_000));
            } finally {
                fault.end().run(world, own);
                log("ended: " + fault);
                giveBack(fault);
            }
        }
        pause(own.nextInt(1_500));
    }

    private synchronized Fault take() {
        if (bag.isEmpty()) {
            bag = new ArrayList<>(Faults.all());
            Collections.shuffle(bag, random);
        }
        for (Fault fault : bag) {
            if (Collections.disjoint(fault.parts(), broken)) {
                bag.remove(fault);
                broken.addAll(fault.parts());
                counts.merge(fault.kind(), 1, Integer::sum);
                overlapping += active++ > 0 ? 1 : 0;
                return fault;
            }
        }
        return null;
    }

    private synchronized void giveBack(Fault fault) {
        broken.removeAll(fault.parts());
        active--;
    }

    private static void log(String what) {
        System.err.println(LocalTime.now(ZoneOffset.UTC) + " " + what);
    }

    private static void pause(int millis) throws InterruptedException {
        boolean unused = new Waiter().await(Duration.ofMillis(millis));
    }
}
