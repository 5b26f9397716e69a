package io.cqrs.it.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.CqrsId;
import io.cqrs.core.TransportException;
import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.it.security.Authority.Identity;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.it.support.TestProcess;
import io.cqrs.tools.servers.BrokerServer;
import io.cqrs.tools.servers.DatabaseServer;
import io.cqrs.tools.servers.Servers;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Whom the processes talk to over TLS, and whom not. */
@ExtendWith(TestEnvironment.class)
@Timeout(180)
class TlsIT {

    private static final String LISTEN = "{ok, _} = application:ensure_all_started(ssl), ok ="
            + " rabbit_networking:start_ssl_listener(%d, [{certfile, \"%s\"}, {keyfile, \"%s\"}], 1).";

    @TempDir
    static Path directory;

    private static Authority trusted;
    private static Authority stranger;
    private static Servers servers;
    private static Server good;
    private static Server expired;
    private static BrokerServer broker;

    /**
     * A broker and a database that show the same certificate.
     *
     * @param amqps where the broker listens
     * @param database the database's server
     */
    private record Server(int amqps, DatabaseServer database) {}

    @BeforeAll
    static void start() throws Exception {
        servers = Servers.forTests();
        List<BrokerServer> brokers = servers.brokerCluster(1);
        TestEnvironment.require(!brokers.isEmpty(), "TLS needs the binaries of RabbitMQ, which are not here");
        broker = brokers.get(0);
        trusted = new Authority(directory, "trusted");
        stranger = new Authority(directory, "stranger");
        good = listen("good", trusted.vouch("good"));
        expired = listen("expired", trusted.vouch("expired", "-startdate", "-10d", "-validity", "5"));
    }

    @AfterAll
    static void stop() {
        if (servers != null) {
            servers.close();
        }
    }

    @Test
    void carriesChangesWhereBothEndsAreWhoTheySay() throws Exception {
        TestDatabase master = plain(good.database().createDatabase("master"));
        TestDatabase replica = plain(good.database().createDatabase("replica"));
        master.execute("create table item (id bigint primary key, name text)");
        replica.execute("create table item_ref (id bigint primary key, name text, cqrs_revision bigint not null,"
                + " cqrs_updated timestamptz not null)");
        Path relaying = Files.writeString(
                directory.resolve("master.yaml"), """
                database: { url: "%s" }
                transport: { url: "amqps://localhost:%d", exchange: tls }
                masters: { item: { table: item } }
                """.formatted(verified(master, trusted), good.amqps()));
        Path consuming = Files.writeString(
                directory.resolve("replica.yaml"), """
                database: { url: "%s" }
                transport: { url: "amqps://localhost:%d", exchange: tls }
                queue: tls
                replicas: { item: { table: item_ref } }
                """.formatted(verified(replica, trusted), good.amqps()));
        run(0, "migrate", relaying);
        run(0, "migrate", "--entity", "item", relaying);
        run(0, "capture", "install", relaying);
        run(0, "migrate", consuming);
        try (TestProcess relay = cqrs(trusted, "relay", relaying).start();
                TestProcess worker = cqrs(trusted, "consume", consuming).start()) {
            master.execute("insert into item values (1, 'by TLS')");
            await().atMost(Duration.ofSeconds(60))
                    .untilAsserted(() -> assertThat(replica.rows("select name from item_ref"))
                            .as(relay.output() + worker.output())
                            .containsExactly("by TLS"));
            assertThat(broker.rabbitmqctl("-q", "list_connections", "ssl").lines())
                    .hasSizeGreaterThanOrEqualTo(2)
                    .doesNotContain("false");
            for (TestDatabase side : List.of(master, replica)) {
                assertThat(side.rows("select distinct ssl from pg_stat_ssl join pg_stat_activity using (pid) where"
                                + " datname = current_database() and application_name = 'cqrs'"))
                        .containsExactly("t");
            }
        }
    }

    @Test
    void refusesABrokerThatIsNotTheOneMeant() throws Exception {
        String database = verified(plain(good.database().createDatabase("refused")), trusted);
        assertThat(refused(database, "amqps://localhost:" + good.amqps(), stranger))
                .contains("certification path");
        assertThat(refused(database, "amqps://127.0.0.1:" + good.amqps(), trusted))
                .contains("127.0.0.1");
        assertThat(refused(database, "amqps://localhost:" + expired.amqps(), trusted))
                .contains("NotAfter");
    }

    @Test
    void refusesADatabaseThatIsNotTheOneMeant() throws Exception {
        String amqps = "amqps://localhost:" + good.amqps();
        TestDatabase right = plain(good.database().createDatabase("refused"));
        assertThat(refused(verified(right, stranger), amqps, trusted)).contains("certification path");
        String byAddress = verified(right, trusted).replace("//localhost", "//127.0.0.1");
        assertThat(refused(byAddress, amqps, trusted)).contains("127.0.0.1");
        TestDatabase late = plain(expired.database().createDatabase("refused"));
        assertThat(refused(verified(late, trusted), amqps, trusted)).contains("validity check failed");
    }

    @Test
    void trustsWhomTheSslContextOfAServiceTrusts() throws Exception {
        try (RabbitTransport transport = transport(trusted)) {
            transport.decommission(ReplicaQueue.of("tls_context", Set.of(CqrsId.of("item"))));
        }
        try (RabbitTransport transport = transport(stranger)) {
            assertThatThrownBy(() -> transport.openPublisher())
                    .isInstanceOf(TransportException.class)
                    .hasMessageContaining("certification path");
        }
    }

    private static RabbitTransport transport(Authority authority) throws Exception {
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(KeyStore.getInstance(authority.trustStore().toFile(), Authority.PASSWORD.toCharArray()));
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return RabbitTransport.of(RabbitConfig.builder("amqps://localhost:" + good.amqps())
                .sslContext(context)
                .patience(Duration.ofMillis(1))
                .build());
    }

    private static String refused(String database, String amqps, Authority trust) throws Exception {
        Path config = Files.writeString(directory.resolve("refused.yaml"), """
                database: { url: "%s" }
                transport: { url: "%s", exchange: tls }
                queue: refused
                """.formatted(database, amqps));
        try (TestProcess doctor = cqrs(trust, "doctor", config).start()) {
            assertThat(doctor.awaitExit()).as(doctor.output()).isOne();
            return doctor.output();
        }
    }

    private static void run(int code, Object... arguments) throws Exception {
        try (TestProcess run = cqrs(trusted, arguments).start()) {
            assertThat(run.awaitExit()).as(run.output()).isEqualTo(code);
        }
    }

    /** A command with its configuration last, in a JVM that trusts nobody else. */
    private static TestProcess cqrs(Authority trust, Object... arguments) {
        String[] command = new String[arguments.length + 1];
        for (int i = 0; i < arguments.length; i++) {
            command[i] = arguments[i].toString();
        }
        command[arguments.length] = command[arguments.length - 1];
        command[arguments.length - 1] = "--config";
        return TestProcess.cqrs(command)
                .with(
                        "JAVA_TOOL_OPTIONS",
                        "-Djavax.net.ssl.trustStore=" + trust.trustStore() + " -Djavax.net.ssl.trustStorePassword="
                                + Authority.PASSWORD);
    }

    private static TestDatabase plain(String url) {
        return new TestDatabase(url, UrlDataSource.of(url, null, null));
    }

    private static String verified(TestDatabase database, Authority trust) {
        return database.url().replace("//127.0.0.1", "//localhost") + "&sslmode=verify-full&sslrootcert="
                + trust.certificate();
    }

    private static Server listen(String name, Identity identity) throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        Path certificate = Files.writeString(directory.resolve(name + ".crt"), identity.certificate());
        Path key = Files.writeString(directory.resolve(name + ".key"), identity.key());
        String unused = broker.rabbitmqctl("eval", LISTEN.formatted(port, certificate, key));
        Optional<DatabaseServer> database = servers.anotherDatabase();
        TestEnvironment.require(database.isPresent(), "TLS needs the binaries of PostgreSQL, which are not here");
        TestDatabase admin = plain(database.get().createDatabase("admin"));
        // The server's own user must own them, whoever that is.
        write(admin, identity.certificate(), "server.crt");
        write(admin, identity.key(), "server.key");
        admin.execute("alter system set ssl = on");
        admin.execute("select pg_reload_conf()");
        await().until(() -> admin.rows("show ssl").equals(List.of("on")));
        return new Server(port, database.get());
    }

    private static void write(TestDatabase admin, String content, String file) {
        admin.execute("copy (select unnest(string_to_array('" + content.strip() + "', E'\\n'))) to program"
                + " 'umask 077; cat > " + file + "'");
    }
}
