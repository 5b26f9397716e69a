package io.cqrs.it.readme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.Change;
import io.cqrs.core.CqrsId;
import io.cqrs.core.EntityKey;
import io.cqrs.core.Signal;
import io.cqrs.core.Stamp;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.Queues;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.it.support.TestProcess;
import io.cqrs.master.CqrsMaster;
import io.cqrs.master.MasterTable;
import io.cqrs.master.TriggerCapture;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.tools.config.ConfigLoader;
import io.cqrs.tools.config.CqrsConfig;
import io.cqrs.transport.memory.InMemoryTransport;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.hibernate.Session;
import org.hibernate.SessionFactory;
import org.hibernate.cfg.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What the README shows is what is compiled and run here. */
@ExtendWith(TestEnvironment.class)
@Timeout(300)
class ReadmeIT {

    private static final Path README = TestEnvironment.root().resolve("README.md");

    @Test
    void showsTheCodeThatIsTestedHere() throws Exception {
        String source = Files.readString(
                TestEnvironment.root().resolve("integration-tests/src/test/java/io/cqrs/it/readme/ReadmeIT.java"));
        assertThat(blocks("java"))
                .containsExactly(
                        fromAnnotation(source("Product")),
                        region(source, "master-start"),
                        region(source, "bulk"),
                        region(source, "sync"),
                        fromAnnotation(source("ProductRef")),
                        region(source, "replica-start"),
                        fromAnnotation(source("OfferRef")),
                        source("PriceWatch").substring(source("PriceWatch").indexOf("class ")));
    }

    @Test
    void callsTheHooksShown() throws Exception {
        TestDatabase database = TestEnvironment.database("readme_hooks");
        InMemoryTransport transport = new InMemoryTransport();
        try (SessionFactory sessions = sessions(database, OfferRef.class);
                CqrsReplica replica = CqrsReplica.builder(sessions)
                        .dataSource(database.dataSource())
                        .transport(transport)
                        .queue("offers")
                        .migrateSchema()
                        .build()) {
            transport.declare(replica.queue());
            replica.start();
            Queues.put(transport, "offers", price(0, "9.90"), price(1, "7.50"));
            await().atMost(Duration.ofSeconds(30))
                    .until(() ->
                            database.rows("select price, cheaper from offerref").equals(List.of("7.50|t")));
        }
    }

    private static Change price(long revision, String price) {
        return Change.of(
                Signal.SAVE,
                EntityKey.of(CqrsId.of("product"), 1L),
                Stamp.of(Instant.EPOCH.plusSeconds(revision), revision),
                Map.of("id", 1L, "price", new BigDecimal(price)));
    }

    @Test
    void carriesAChangeFromTheMasterToTheReplicaAsShown() throws Exception {
        TestEnvironment.require(TestEnvironment.broker().isOurs(), "the README's queue may hold somebody's messages");
        String uri = TestEnvironment.broker().url();
        TestDatabase masterDatabase = TestEnvironment.database("readme_master");
        TestDatabase replicaDatabase = TestEnvironment.database("readme_replica");
        try (SessionFactory masterSessions = sessions(masterDatabase, Product.class);
                SessionFactory replicaSessions = sessions(replicaDatabase, ProductRef.class)) {
            CqrsReplica replica = startReplica(replicaSessions, uri);
            CqrsMaster master = startMaster(masterSessions, uri);
            try {
                masterSessions.inTransaction(session -> {
                    Product product = new Product();
                    product.id = 1L;
                    product.sku = "a-1";
                    product.price = new BigDecimal("9.90");
                    session.persist(product);
                });
                await().atMost(Duration.ofSeconds(30))
                        .until(() -> replicaDatabase
                                .rows("select id, code, price, cqrs_revision from productref")
                                .equals(List.of("1|a-1|9.90|0")));
                masterSessions.inTransaction(session -> raisePrices(master, session));
                await().atMost(Duration.ofSeconds(30))
                        .until(() -> replicaDatabase
                                .rows("select id, code, price, cqrs_revision from productref")
                                .equals(List.of("1|a-1|10.00|1")));
                replicaDatabase.execute("update productref set price = 0");
                syncAgain(master);
                await().atMost(Duration.ofSeconds(30))
                        .until(() -> replicaDatabase
                                .rows("select price from productref")
                                .equals(List.of("10.00")));
            } finally {
                master.close();
                replica.close();
                try (RabbitTransport cleaning = RabbitTransport.connect(uri)) {
                    cleaning.decommission(ReplicaQueue.of("storefront", Set.of(CqrsId.of("product"))));
                }
            }
        }
    }

    @Test
    void showsAConfigurationThatIsUnderstood(@TempDir Path directory) throws Exception {
        Path file =
                Files.writeString(directory.resolve("cqrs.yaml"), blocks("yaml").get(0));
        CqrsConfig config = new ConfigLoader(Map.of("DB_PASSWORD", "secret")).load(file, Map.of());
        assertThat(config.queue()).isEqualTo("storefront");
        assertThat(config.workers().settings()).containsEntry("workers", "2");
        assertThat(config.databasePassword()).isEqualTo("secret");
        assertThat(config.replicas()).hasSize(1);
        assertThat(config.replicas().get(0).fields()).isEqualTo(Map.of("code", "sku"));
    }

    @Test
    void showsAMasterThatIsUnderstood(@TempDir Path directory) throws Exception {
        Path file =
                Files.writeString(directory.resolve("cqrs.yaml"), blocks("yaml").get(1));
        CqrsConfig config = new ConfigLoader(Map.of("DB_PASSWORD", "secret")).load(file, Map.of());
        assertThat(config.masters()).hasSize(1);
        assertThat(config.masters().get(0).tracked()).containsExactly("price");
    }

    @Test
    void showsNoCommandThatIsNotRun(@TempDir Path directory) throws Exception {
        Path dump = directory.resolve("product.dump.gz");
        List<String> shown = new ArrayList<>();
        for (String block : blocks("sh")) {
            shown.addAll(block.lines().toList());
        }
        assertThat(shown).isNotEmpty();
        for (String command : shown) {
            run(command, dump);
        }
    }

    /** Runs a command the way the README means it. */
    private static void run(String command, Path dump) throws Exception {
        if (command.equals("./mvnw verify")) {
            return; // it runs this
        }
        if (command.startsWith("./cqrs demo --once")) {
            try (TestProcess demo = process(command).start()) {
                assertThat(demo.awaitExit()).as(demo.output()).isZero();
                assertThat(demo.output()).containsAnyOf("EQUAL: 1900 rows", "\"equal\":true,\"rows\":9500,");
            }
        } else if (command.equals("./cqrs demo")) {
            try (TestProcess demo = process(command).start()) {
                await().atMost(Duration.ofSeconds(90))
                        .until(() -> demo.output()
                                        .lines()
                                        .filter(line -> line.matches(" +[1-9]\\d* +[1-9]\\d* .*"))
                                        .count()
                                >= 3);
                demo.terminate();
                demo.awaitExit();
                assertThat(demo.output()).contains("stopping");
            }
        } else {
            runOnServers(command, dump);
        }
    }

    private static void runOnServers(String command, Path dump) throws Exception {
        TestDatabase database = TestEnvironment.database("readme_commands");
        String name = "readme_" + System.nanoTime();
        database.execute(
                Files.readString(TestEnvironment.root().resolve("examples/shop/src/main/resources/product_ref.sql")));
        Path yaml = Files.createTempFile("readme-", ".yaml");
        boolean master = command.contains("catalogue.yaml");
        String shown = blocks("yaml").get(master ? 1 : 0);
        Files.writeString(yaml, command.contains("shop.yaml") ? shown.replaceAll("(?s)\nreplicas:.*", "") : shown);
        if (master) {
            database.execute("create table product (id bigint primary key, sku text, price numeric)");
        }
        String withConfig =
                command.replaceAll("--config \\S+", "--config " + yaml).replace("product.dump.gz", dump.toString());
        boolean migrates = command.contains("migrate");
        if (!migrates) {
            CqrsSchema.standard().migrate(database.dataSource());
            if (master) {
                TriggerCapture capture = TriggerCapture.of(database.dataSource());
                boolean unused = capture.addColumns(TableName.parse("public.product"));
                if (!command.contains("install")) {
                    capture.install(MasterTable.of(CqrsId.of("product"), TableName.parse("public.product"))
                            .withTracked(Set.of("price")));
                }
            }
        }
        boolean letters = command.contains("dead-letters");
        boolean ends = command.contains("--bind-only") || !command.contains("relay") && !command.contains("consume");
        ReplicaQueue queue = ReplicaQueue.of(name, Set.of(CqrsId.of("product")));
        if (letters || command.contains("doctor")) {
            try (RabbitTransport transport =
                    RabbitTransport.connect(TestEnvironment.broker().url())) {
                transport.declare(queue);
            }
        }
        try (TestProcess process = process(withConfig)
                .with("CQRS_TRANSPORT_URL", TestEnvironment.broker().url())
                .with("CQRS_TRANSPORT_EXCHANGE", name)
                .with("CQRS_DATABASE_URL", database.url())
                .with("CQRS_DATABASE_USER", "postgres")
                .with("CQRS_QUEUE", name)
                .start()) {
            if (ends) {
                assertThat(process.awaitExit()).as(process.output()).isZero();
                assertThat(database.count("cqrs.outbox")).isZero();
            } else {
                String started = command.contains("relay") ? "active, through" : "connected to";
                await().atMost(Duration.ofSeconds(60))
                        .until(() -> process.output().contains(started));
                process.terminate();
                assertThat(process.awaitExit()).isEqualTo(143);
            }
        } finally {
            Files.delete(yaml);
            try (RabbitTransport cleaning =
                    RabbitTransport.connect(TestEnvironment.broker().url())) {
                cleaning.decommission(queue);
            }
        }
    }

    private static TestProcess process(String command) {
        return TestProcess.of(command.split(" "));
    }

    private static CqrsMaster startMaster(SessionFactory sessionFactory, String uri) {
        // tag::master-start
        CqrsMaster master = CqrsMaster.builder(sessionFactory)
                .transport(RabbitTransport.connect(uri))
                .migrateSchema()
                .build();
        master.start();
        // end::master-start
        return master;
    }

    private static void raisePrices(CqrsMaster master, Session session) {
        // tag::bulk
        master.bulkUpdate(
                session,
                Product.class,
                (product, where) -> where.lessThan(product.get("price"), BigDecimal.TEN),
                (update, product, where) -> update.set(product.<BigDecimal>get("price"), BigDecimal.TEN));
        // end::bulk
    }

    private static void syncAgain(CqrsMaster master) throws InterruptedException {
        // tag::sync
        master.sync(Product.class)
                .where((product, where) -> where.like(product.get("sku"), "a-%"))
                .to("storefront")
                .send();
        // end::sync
    }

    private static CqrsReplica startReplica(SessionFactory sessionFactory, String uri) throws InterruptedException {
        // tag::replica-start
        CqrsReplica replica = CqrsReplica.builder(sessionFactory)
                .transport(RabbitTransport.connect(uri))
                .queue("storefront")
                .workers(2)
                .migrateSchema()
                .build();
        replica.start();
        // end::replica-start
        return replica;
    }

    private static SessionFactory sessions(TestDatabase database, Class<?> entity) {
        Configuration configuration =
                new Configuration().addAnnotatedClass(entity).setProperty("hibernate.hbm2ddl.auto", "update");
        configuration.getProperties().put("hibernate.connection.datasource", database.dataSource());
        return configuration.buildSessionFactory();
    }

    private static String source(String type) throws Exception {
        return Files.readString(
                TestEnvironment.root().resolve("integration-tests/src/test/java/io/cqrs/it/readme/" + type + ".java"));
    }

    private static String fromAnnotation(String source) {
        return source.substring(source.indexOf("@Entity"));
    }

    private static String region(String source, String name) {
        int start = source.indexOf("// tag::" + name + "\n") + ("// tag::" + name + "\n").length();
        int end = source.lastIndexOf("\n", source.indexOf("// end::" + name + "\n"));
        return source.substring(start, end).stripIndent() + "\n";
    }

    private static List<String> blocks(String language) throws Exception {
        Matcher matcher =
                Pattern.compile("```" + language + "\n(.*?)```", Pattern.DOTALL).matcher(Files.readString(README));
        List<String> blocks = new ArrayList<>();
        while (matcher.find()) {
            blocks.add(matcher.group(1));
        }
        return blocks;
    }
}
