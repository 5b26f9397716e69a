package io.cqrs.it.chaos;

import static org.awaitility.Awaitility.await;

import io.cqrs.it.chaos.Fault.Action;
import io.cqrs.it.chaos.Fault.Part;
import io.cqrs.it.process.DoomedRelay;
import io.cqrs.it.support.Queues;
import io.cqrs.it.support.TcpProxy;
import io.cqrs.it.support.TestProcess;
import io.cqrs.tools.servers.Server;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongPredicate;

/** Each kind of fault. */
final class Faults {

    private static final Action NOTHING = (world, random) -> {};
    private static final String CLOSE_CHANNELS = "[exit(Channel, kill) || Channel <- rabbit_channel:list_local()], ok.";
    /** Whoever holds the lock of relays, which is in the space "cqrs" in ASCII. */
    private static final String LEADS =
            " from pg_stat_activity where datname = current_database() and pid in (select pid from pg_locks"
                    + " where locktype = 'advisory' and granted and objsubid = 2 and classid = 1668379251)";

    private Faults() {}

    /** Returns all that must lose nothing. */
    static List<Fault> all() {
        List<Fault> all = new ArrayList<>(List.of(
                killed("master-killed", Part.MASTER, Role.MASTER),
                killed("relay-killed", Part.RELAYS, Role.RELAY_1, Role.RELAY_2),
                fault(
                        "two-relays-lead",
                        Set.of(Part.RELAYS, Part.MASTER_DATABASE),
                        Faults::pauseLeader,
                        Faults::resumeRelays),
                killed("worker-killed", Part.WORKERS, Role.WORKER_1, Role.WORKER_2),
                paused("worker-paused", Part.WORKERS, Role.WORKER_1),
                fault(
                        "worker-given-up",
                        Set.of(Part.WORKERS, Part.BROKER),
                        Faults::pauseUntilGivenUp,
                        (world, random) -> world.processes.resume(Role.WORKER_1)),
                fault("replica-table-locked", Set.of(Part.REPLICA_DATABASE), World::lockReplica, World::unlockReplica),
                killed("hooks-killed", Part.HOOKS, Role.HOOKS),
                paused("hooks-paused", Part.HOOKS, Role.HOOKS),
                server("broker-restarted", Part.BROKER, world -> world.broker, Server::stop),
                server("broker-killed", Part.BROKER, world -> world.broker, Server::kill),
                server("master-database-restarted", Part.MASTER_DATABASE, world -> world.masterServer, Server::stop),
                server("master-database-killed", Part.MASTER_DATABASE, world -> world.masterServer, Server::kill),
                server("replica-database-restarted", Part.REPLICA_DATABASE, world -> world.replicaServer, Server::stop),
                server("replica-database-killed", Part.REPLICA_DATABASE, world -> world.replicaServer, Server::kill),
                broker(
                        "broker-memory-alarm",
                        List.of("set_vm_memory_high_watermark", "0"),
                        List.of("set_vm_memory_high_watermark", "0.4")),
                broker(
                        "broker-disk-alarm",
                        List.of("set_disk_free_limit", "999999GB"),
                        List.of("set_disk_free_limit", "50MB")),
                broker("broker-closes-connections", List.of("close_all_connections", "chaos"), List.of("ping")),
                broker("broker-closes-channels", List.of("eval", CLOSE_CHANNELS), List.of("ping")),
                fault("clock-jump", Set.of(Part.MASTER), Faults::jump, NOTHING),
                fault("replica-clock-jump", Set.of(Part.HOOKS), Faults::jumpHooks, NOTHING),
                fault("long-transaction", Set.of(Part.MASTER), Faults::longTransaction, NOTHING),
                fault("oversize", Set.of(Part.MASTER), (world, random) -> tell(world, "oversize"), NOTHING),
                fault("poison", Set.of(Part.BROKER), Faults::poison, NOTHING)));
        for (ChaosMaster.Step step : ChaosMaster.Step.values()) {
            all.add(dies("master-dies", step, Part.MASTER, world -> masterDies(world, step), Role.MASTER));
        }
        for (DoomedRelay.Step step : DoomedRelay.Step.values()) {
            all.add(dies("relay-dies", step, Part.RELAYS, world -> relayDies(world, step), Role.RELAY_1, Role.RELAY_2));
        }
        for (DoomedWorker.Step step : DoomedWorker.Step.values()) {
            all.add(dies("worker-dies", step, Part.WORKERS, world -> workerDies(world, step), Role.WORKER_2));
        }
        all.addAll(links("link-cut", TcpProxy::cut));
        all.addAll(links("link-held", TcpProxy::hold));
        all.addAll(links("link-half-open", TcpProxy::strand));
        all.add(stranded("relays to broker", Part.RELAYS, world -> world.relayLink));
        all.add(stranded("workers to broker", Part.WORKERS, world -> world.workerLink));
        all.addAll(links("link-slow", link -> link.slow(Duration.ofMillis(100))));
        return all;
    }

    private static Fault dies(String kind, Enum<?> step, Part part, Consumer<World> begin, Role... anew) {
        return new Fault(
                kind,
                step.name(),
                Set.of(part),
                (world, random) -> begin.accept(world),
                (world, random) -> List.of(anew).forEach(world.processes::start));
    }

    private static List<Fault> links(String kind, Consumer<TcpProxy> begin) {
        return List.of(
                link(kind, "relays to broker", Part.RELAYS, world -> world.relayLink, begin),
                link(kind, "workers to broker", Part.WORKERS, world -> world.workerLink, begin),
                link(kind, "master to database", Part.MASTER_DATABASE, world -> world.masterLink, begin),
                link(kind, "replicas to database", Part.REPLICA_DATABASE, world -> world.replicaLink, begin));
    }

    /** Half open for good: nobody ever tells either end. */
    private static Fault stranded(String where, Part part, Function<World, TcpProxy> link) {
        return new Fault(
                "link-stranded",
                where,
                Set.of(part),
                (world, random) -> link.apply(world).strand(),
                NOTHING);
    }

    private static Fault link(
            String kind, String where, Part part, Function<World, TcpProxy> link, Consumer<TcpProxy> begin) {
        return new Fault(
                kind,
                where,
                Set.of(part),
                (world, random) -> begin.accept(link.apply(world)),
                (world, random) -> link.apply(world).mend());
    }

    private static Fault killed(String name, Part part, Role... roles) {
        return fault(
                name,
                Set.of(part),
                (world, random) -> world.processes.kill(roles[random.nextInt(roles.length)]),
                (world, random) -> List.of(roles).forEach(world.processes::start));
    }

    private static Fault paused(String name, Part part, Role role) {
        return fault(
                name,
                Set.of(part),
                (world, random) -> world.processes.pause(role),
                (world, random) -> world.processes.resume(role));
    }

    private static Fault server(String name, Part part, Function<World, Server> server, Consumer<Server> end) {
        return fault(
                name,
                Set.of(part),
                (world, random) -> end.accept(server.apply(world)),
                (world, random) -> server.apply(world).start());
    }

    private static Fault broker(String name, List<String> begin, List<String> end) {
        return fault(
                name,
                Set.of(Part.BROKER),
                (world, random) -> rabbitmqctl(world, begin),
                (world, random) -> rabbitmqctl(world, end));
    }

    private static Fault fault(String kind, Set<Part> parts, Action begin, Action end) {
        return new Fault(kind, "", parts, begin, end);
    }

    private static void rabbitmqctl(World world, List<String> arguments) {
        String unused = world.broker.rabbitmqctl(arguments.toArray(String[]::new));
    }

    private static void tell(World world, String line) {
        tell(world, Role.MASTER, line);
    }

    /** It may be about to be started anew. */
    private static void tell(World world, Role role, String line) {
        await().atMost(Duration.ofSeconds(60)).ignoreExceptions().until(() -> {
            TestProcess process = world.processes.get(role);
            if (!process.output().contains(role.running)) {
                return false;
            }
            process.tell(line);
            return true;
        });
    }

    private static void jump(World world, Random random) {
        tell(world, "clock " + (random.nextInt(600_000) - 300_000));
    }

    /** By days: it purges, and looks at its queues, by this clock. */
    private static void jumpHooks(World world, Random random) {
        long days = Duration.ofDays(10).toMillis();
        tell(world, Role.HOOKS, Long.toString(random.nextLong(2 * days) - days));
    }

    private static void longTransaction(World world, Random random) {
        tell(world, "long " + (2 + random.nextInt(6)));
    }

    private static void masterDies(World world, ChaosMaster.Step step) {
        tell(world, "die " + step);
        awaitDeath(world, world.processes.letGo(Role.MASTER));
    }

    private static void relayDies(World world, DoomedRelay.Step step) {
        world.processes.kill(Role.RELAY_1);
        world.processes.kill(Role.RELAY_2);
        try (TestProcess doomed = world.doomedRelay(step).start()) {
            awaitDeath(world, doomed);
        }
    }

    /** Has a worker take what is in the first replica's queue, and die. */
    static void workerDies(World world, DoomedWorker.Step step) {
        world.processes.kill(Role.WORKER_2);
        try (TestProcess doomed = world.doomedWorker(step).start()) {
            awaitDeath(world, doomed);
        }
    }

    /** Where another fault keeps it from getting there, it is killed where it is. */
    private static void awaitDeath(World world, TestProcess process) {
        awaitFor(Duration.ofSeconds(30), () -> !process.isAlive());
        if (process.isAlive()) {
            world.killedElsewhere.incrementAndGet();
        }
        process.close();
    }

    /** Stops the relay that leads, and has the server end its session: the other one leads from now on, too. */
    private static void pauseLeader(World world, Random random) {
        List<String> leaders = leaders(world);
        String leader = leaders.isEmpty() ? Role.RELAY_1.name() : leaders.get(0);
        world.processes.pause(Role.valueOf(leader));
        List<String> unused = world.master.rows("select pg_terminate_backend(pid)" + LEADS);
        // Where another fault keeps the other one from it, the first is let go as it is.
        awaitFor(Duration.ofSeconds(10), () -> ledByAnother(world, leader));
        if (!leaders.isEmpty() && ledByAnother(world, leader)) {
            world.ledByTwo.incrementAndGet();
        }
    }

    private static boolean ledByAnother(World world, String leader) {
        return leaders(world).stream().anyMatch(name -> !name.equals(leader));
    }

    private static List<String> leaders(World world) {
        return world.master.rows("select application_name" + LEADS).stream()
                .filter(name -> name.startsWith("RELAY"))
                .toList();
    }

    /** Waits no longer than that, and does not mind. */
    private static void awaitFor(Duration limit, Callable<Boolean> condition) {
        long end = System.nanoTime() + limit.toNanos();
        await().atMost(limit.plusSeconds(15))
                .ignoreExceptions()
                .until(() -> System.nanoTime() > end || condition.call());
    }

    /** Stops a worker until the broker gives what it holds to others; then it goes on with it, too. */
    private static void pauseUntilGivenUp(World world, Random random) throws Exception {
        awaitConsumers(world, count -> count == 3);
        world.processes.pause(Role.WORKER_1);
        awaitConsumers(world, count -> count <= 1);
    }

    /** Where another fault keeps it from getting there, it is left where it is. */
    private static void awaitConsumers(World world, LongPredicate enough) {
        awaitFor(Duration.ofSeconds(25), () -> enough.test(world.consumers()));
    }

    private static void resumeRelays(World world, Random random) {
        world.processes.resume(Role.RELAY_1);
        world.processes.resume(Role.RELAY_2);
    }

    /** Messages that can never be applied: no JSON at all to one of the replicas, or a value that fits no column. */
    private static void poison(World world, Random random) {
        String mark = "poison-" + random.nextInt(Integer.MAX_VALUE);
        boolean unfit = random.nextBoolean();
        String queue = unfit || random.nextBoolean() ? World.SETS : World.HOOKED;
        String body = !unfit ? "{\"no\": \"message\", \"but\": \"" + mark : """
                {"signal_type": "SAVE", "cqrs_id": "item", "instance_pk": 3000000, "instance_data": {"id": 3000000,
                "name": "%s", "amount": "many", "price": "1", "cqrs_revision": 0,
                "cqrs_updated": "2026-11-22 04:00:00+00:00"}}""".formatted(mark);
        world.poison.add(queue + " " + mark);
        Queues.putBytes(world.transport, queue, Map.of(), List.of(body.getBytes(StandardCharsets.UTF_8)));
    }
}
