package io.cqrs.tools.servers;

import java.time.Duration;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds or starts the servers of a test run or a demo, one of each kind a run, when they are first asked for.
 *
 * <p>In this order: the URL given, Docker, a private server from binaries on this machine (own port, own data, stopped
 * at the end; what a killed run left behind is swept), an embedded PostgreSQL. There is no embedded broker. Thread-safe.
 */
public final class Servers implements AutoCloseable {

    /** Names the broker to use, as an {@code amqp://} URL. */
    public static final String AMQP_URL = "CQRS_TEST_AMQP_URL";

    /** Names the database server to use, as a JDBC URL of a user who may create databases. */
    public static final String PG_URL = "CQRS_TEST_PG_URL";

    private static final Logger LOG = LoggerFactory.getLogger(Servers.class);
    private static final Duration GRACE = Duration.ofSeconds(15);

    private final Map<String, String> environment;
    private final boolean durable;
    private final Deque<AutoCloseable> started = new ConcurrentLinkedDeque<>();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread atExit = new Thread(this::closeAtExit, "cqrs-servers-stop");
    private @Nullable DatabaseServer database;
    private @Nullable Optional<BrokerServer> broker;

    private Servers(Map<String, String> environment, boolean durable) {
        this.environment = environment;
        this.durable = durable;
    }

    /** Returns servers for tests and demos: private databases do without fsync, their data is thrown away. */
    public static Servers forTests() {
        return hooked(new Servers(System.getenv(), false));
    }

    /** Returns servers for measurements: private databases are as durable as they come. */
    public static Servers durable() {
        return hooked(new Servers(System.getenv(), true));
    }

    private static Servers hooked(Servers servers) {
        Runtime.getRuntime().addShutdownHook(servers.atExit);
        return servers;
    }

    /**
     * Returns the database server, starting it first.
     *
     * @throws ServerException if none of the ways works, saying why each did not
     */
    public synchronized DatabaseServer database() {
        if (database == null) {
            database = firstOf(List.<Supplier<Optional<DatabaseServer>>>of(
                            () -> Optional.ofNullable(environment.get(PG_URL))
                                    .map(url -> DatabaseServer.given(url, started::push)),
                            () -> DockerServers.postgres(started::push),
                            () -> LocalPostgres.open(durable, started::push),
                            () -> EmbeddedDatabase.open(durable, started::push)))
                    .orElseThrow(() -> new ServerException(
                            "no PostgreSQL: set " + PG_URL + ", start Docker, or install PostgreSQL", null));
        }
        return database;
    }

    /**
     * Returns the broker, starting it first; empty where none can be had.
     *
     * @throws ServerException if a way that should work fails
     */
    public synchronized Optional<BrokerServer> broker() {
        if (broker == null) {
            broker = firstOf(List.<Supplier<Optional<BrokerServer>>>of(
                    () -> Optional.ofNullable(environment.get(AMQP_URL)).map(BrokerServer::given),
                    () -> DockerServers.rabbit(started::push),
                    () -> LocalRabbit.open(() -> RabbitNode.prepare(1), started::push).stream()
                            .findFirst()));
        }
        return broker;
    }

    /**
     * Returns the broker, starting it first.
     *
     * @throws ServerException if there is none
     */
    public BrokerServer requireBroker() {
        return broker().orElseThrow(() -> new ServerException(
                "no RabbitMQ: set " + AMQP_URL + ", start Docker, or install RabbitMQ (its rabbitmq-server)", null));
    }

    /**
     * Starts a broker of several nodes, besides the one of {@link #broker}: a cluster from binaries on this machine. Empty
     * where there are none.
     *
     * @throws ServerException if it does not start
     */
    public List<BrokerServer> brokerCluster(int nodes) {
        return LocalRabbit.open(() -> RabbitNode.prepare(nodes), started::push);
    }

    /**
     * Starts such a broker whose nodes find each other by port mappers (epmd) that are the caller's, one for each node.
     *
     * @throws ServerException if it does not start
     */
    public List<BrokerServer> brokerCluster(List<Integer> epmdPorts) {
        return LocalRabbit.open(() -> RabbitNode.prepare(epmdPorts), started::push);
    }

    /**
     * Starts a PostgreSQL besides the one of {@link #database}, from binaries on this machine. Empty where there are none.
     *
     * @throws ServerException if it does not start
     */
    public Optional<DatabaseServer> anotherDatabase() {
        return LocalPostgres.open(durable, started::push);
    }

    /** Says which servers are used and why, in a line. */
    public synchronized String describe() {
        String brokerName = broker == null
                ? "broker not asked for"
                : broker.map(BrokerServer::description).orElse("no RabbitMQ found (no URL, Docker or binaries)");
        String databaseName = database == null ? "database not asked for" : database.description();
        return brokerName + "; " + databaseName;
    }

    /** Stops what was started, the last first. Idempotent. */
    @Override
    public void close() {
        try {
            boolean unused = Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IllegalStateException e) {
            LOG.debug("the process is ending, the hook finds nothing left to stop", e);
        }
        stopAll();
        closed.countDown();
    }

    /** Leaves whoever uses the servers the time to end in order. */
    private void closeAtExit() {
        try {
            boolean unused = started.isEmpty() || closed.await(GRACE.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        stopAll();
    }

    private void stopAll() {
        for (AutoCloseable server = started.poll(); server != null; server = started.poll()) {
            try {
                server.close();
            } catch (Exception e) {
                throw new ServerException("a server could not be stopped: " + e.getMessage(), e);
            }
        }
    }

    private static <T> Optional<T> firstOf(List<Supplier<Optional<T>>> ways) {
        return ways.stream().map(Supplier::get).flatMap(Optional::stream).findFirst();
    }
}
