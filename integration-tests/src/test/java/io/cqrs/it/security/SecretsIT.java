package io.cqrs.it.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.cqrs.it.support.CommandRun;
import io.cqrs.it.support.Queues;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.it.support.TestProcess;
import io.cqrs.tools.servers.BrokerServer;
import io.cqrs.tools.servers.Servers;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Passwords and rows are where they belong, and nowhere that an operator, a log or a neighbour reads. */
@ExtendWith(TestEnvironment.class)
@Timeout(180)
class SecretsIT {

    private static final String QUEUE = "secrets";
    private static final String ROLE = "secrets_" + System.nanoTime();

    private final String databasePassword = "dbpw" + System.nanoTime();
    private final String brokerPassword = "mqpw" + System.nanoTime();
    private final String data = "data" + System.nanoTime();

    @TempDir
    Path directory;

    private Servers servers;
    private TestDatabase master;
    private TestDatabase replica;
    private String broker;
    private RabbitTransport transport;

    @BeforeEach
    void start() {
        servers = Servers.forTests();
        List<BrokerServer> brokers = servers.brokerCluster(1);
        TestEnvironment.require(
                !brokers.isEmpty(), "a broker's own users need the binaries of RabbitMQ, which are not here");
        rabbitmqctl(brokers.get(0), "add_user", "svc", brokerPassword);
        rabbitmqctl(brokers.get(0), "set_permissions", "svc", ".*", ".*", ".*");
        broker = brokers.get(0).url().replace("guest:guest", "svc:" + brokerPassword);
        transport =
                RabbitTransport.of(RabbitConfig.builder(broker).exchange(QUEUE).build());
        master = TestEnvironment.database("secrets_master");
        replica = TestEnvironment.database("secrets_replica");
        master.execute("create table item (id bigint primary key, name text, amount text)");
        replica.execute("create table item_ref (id bigint primary key, name text check (length(name) < 40), amount int,"
                + " cqrs_revision bigint not null, cqrs_updated timestamptz not null)");
        master.execute("create role " + ROLE + " login superuser password '" + databasePassword + "'");
    }

    @AfterEach
    void stop() {
        try (Servers unused = servers) {
            if (master != null) {
                transport.close();
                master.execute("drop owned by " + ROLE + " cascade");
                replica.execute("drop owned by " + ROLE + " cascade; drop role " + ROLE);
            }
        }
    }

    @Test
    void areNotToldByLogsCommandsErrorsOrTheListOfProcesses() throws Exception {
        Path relaying = config("master", master, "masters: { item: { table: item } }");
        Path consuming = config(
                "replica", replica, "queue: " + QUEUE + "\nmax_retries: 1\nreplicas: { item: { table: item_ref } }");
        List<String> told = new ArrayList<>();
        for (String command : List.of("migrate", "migrate --entity item", "capture install")) {
            told.add(run(relaying, command.split(" ")));
        }
        told.add(run(consuming, "migrate"));
        try (TestProcess relay = cqrs("relay", relaying);
                TestProcess worker = cqrs("consume", consuming)) {
            await().atMost(Duration.ofSeconds(60))
                    .ignoreExceptions()
                    .until(() -> transport.inspect(QUEUE).consumers() == 1);
            master.execute("insert into item values (1, '" + data + "', '1'), (2, repeat('" + data
                    + "', 3), '1'), (3, '-', '" + data + "')");
            Queues.putBytes(
                    transport, QUEUE, Map.of(), List.of(("{\"" + data + "\": 1, ").getBytes(StandardCharsets.UTF_8)));
            await().atMost(Duration.ofSeconds(60))
                    .ignoreExceptions()
                    .until(() ->
                            transport.inspect(ReplicaQueue.deadLettersOf(QUEUE)).ready() == 3
                                    && replica.count("item_ref") == 1);
            for (String command : List.of("status", "status --json", "doctor", "capture status")) {
                told.add(run(relaying, command.split(" ")));
                told.add(run(consuming, command.split(" ")));
            }
            String letters = run(consuming, "dead-letters", "list");
            assertThat(letters).contains("3 dead letter(s)").doesNotContain(data);
            told.add(letters);
            ProcessHandle.allProcesses()
                    .flatMap(process -> process.info().commandLine().stream())
                    .forEach(told::add);
            assertThat(relay.output() + worker.output())
                    .as("logs of both")
                    .contains("to the dead letters")
                    .doesNotContain(data);
            told.add(relay.output());
            told.add(worker.output());
        }
        told.addAll(whenNothingCanBeReached(consuming));
        assertThat(told)
                .isNotEmpty()
                .allSatisfy(text ->
                        assertThat(text).doesNotContain(databasePassword).doesNotContain(brokerPassword));
    }

    /** What is said of servers that are not there, or let nobody in. */
    private List<String> whenNothingCanBeReached(Path config) throws Exception {
        List<String> said = new ArrayList<>();
        String content = Files.readString(config);
        List<String> breaks = List.of(
                content.replace("svc:", "nobody:"),
                content.replaceAll("127\\.0\\.0\\.1:\\d+\", exchange", "127.0.0.1:1\", exchange"),
                content.replaceAll("/cqrs_secrets\\w*", "/missing"),
                content.replace("user=" + ROLE, "user=nobody_" + ROLE),
                content.replace("jdbc:postgresql:", "jdbc:postgres:"),
                content.replaceAll("(jdbc:postgresql://[^:/]+):\\d+", "$1:no port"),
                content.replace("{ url: \"jdbc", "{ url: jdbc: \"jdbc"),
                content.replace("amqp://svc:", "amqp://svc:/"),
                content.replace("amqp://", "amp://"));
        for (String broken : breaks) {
            assertThat(broken).isNotEqualTo(content);
            Files.writeString(config, broken);
            CommandRun status = CommandRun.of("status", "--config", config.toString());
            assertThat(status.code()).as(broken + status.out()).isNotZero();
            said.add(status.out() + status.err());
            CommandRun doctor = CommandRun.of("doctor", "--config", config.toString());
            assertThat(doctor.code()).as(broken + doctor.out()).isNotZero();
            said.add(doctor.out() + doctor.err());
        }
        return said;
    }

    private String run(Path config, String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--config", config.toString()));
        CommandRun run = CommandRun.of(all.toArray(String[]::new));
        assertThat(run.code()).as(run.out() + run.err()).isZero();
        return run.out() + run.err();
    }

    private static TestProcess cqrs(String command, Path config) {
        return TestProcess.cqrs(command, "--config", config.toString()).start();
    }

    private Path config(String name, TestDatabase database, String more) throws Exception {
        String url = database.url().replaceAll("\\?.*", "") + "?user=" + ROLE + "&password=" + databasePassword;
        return Files.writeString(
                directory.resolve(name + ".yaml"),
                "database: { url: \"" + url + "\" }\ntransport: { url: \"" + broker + "\", exchange: " + QUEUE + " }\n"
                        + more + "\n");
    }

    private static void rabbitmqctl(BrokerServer server, String... arguments) {
        String unused = server.rabbitmqctl(arguments);
    }
}
