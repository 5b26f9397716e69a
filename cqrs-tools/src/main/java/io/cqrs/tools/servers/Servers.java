package io.cqrs.tools.servers;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

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

    private final Map<String, String> environment;
    private final boolean durable;
    private final List<AutoCloseable> started = Collections.synchronizedList(new ArrayList<>());
    private @Nullable DatabaseServer database;
    private @Nullable Optional<BrokerServer> broker;

    private Servers(Map<String, String> environment, boolean durable) {
        this.environment = environment;
        this.durable = durable;
    }

    /** Returns servers for tests and demos: private databases do without fsync, their data is thrown away. */
    public static Servers forTests() {
        return new Servers(System.getenv(), false);
    }

    /** Returns servers for measurements: private databases are as durable as they come. */
    public static Servers durable() {
        return new Servers(System.getenv(), true);
    }

    /**
     * Returns the database server, starting it first.
     *
     * @throws ServerException if none of the ways works, saying why each did not
     */
    public synchronized DatabaseServer database() {
        if (database == null) {
            database = firstOf(List.of(
                            new Way<DatabaseServer>(
                                    PG_URL,
                                    () -> Optional.ofNullable(environment.get(PG_URL))
                                            .map(DatabaseServer::given)),
                            new Way<>("Docker", DockerServers::postgres),
                            new Way<>("local binaries", () -> LocalPostgres.start(durable)),
                            new Way<>("embedded", () -> EmbeddedDatabase.start(durable))))
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
            broker = firstOf(List.of(
                    new Way<BrokerServer>(
                            AMQP_URL,
                            () -> Optional.ofNullable(environment.get(AMQP_URL)).map(BrokerServer::given)),
                    new Way<>("Docker", DockerServers::rabbit),
                    new Way<>("local binaries", LocalRabbit::open)));
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

    /** Says which servers are used and why, in a line. */
    public synchronized String describe() {
        String brokerName = broker == null
                ? "broker not asked for"
                : broker.map(BrokerServer::description).orElse("no RabbitMQ found (no URL, Docker or binaries)");
        String databaseName = database == null ? "database not asked for" : database.description();
        return brokerName + "; " + databaseName;
    }

    /** Stops what was started. */
    @Override
    public void close() {
        List<AutoCloseable> last = new ArrayList<>(started);
        Collections.reverse(last);
        for (AutoCloseable server : last) {
            try {
                server.close();
            } catch (Exception e) {
                throw new ServerException("a server could not be stopped: " + e.getMessage(), e);
            }
        }
        started.clear();
    }

    private <T extends AutoCloseable> Optional<T> firstOf(List<Way<T>> ways) {
        for (Way<T> way : ways) {
            Optional<T> server = way.attempt().get();
            if (server.isPresent()) {
                started.add(server.get());
                return server;
            }
        }
        return Optional.empty();
    }

    private record Way<T>(String name, java.util.function.Supplier<Optional<T>> attempt) {}
}
