package io.cqrs.it.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.CqrsId;
import io.cqrs.examples.shop.Catalogue;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.it.support.TestProcess;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** The main job in real processes: a master service, the relay, a worker process, a broker, two databases. */
@ExtendWith(TestEnvironment.class)
@Timeout(300)
class EndToEndIT {

    private static final String MASTER_ROWS =
            "select id, sku, price, stock, cqrs_revision, cqrs_updated from product order by id";
    private static final String REPLICA_ROWS =
            "select id, code, price, stock, cqrs_revision, cqrs_updated from product_ref order by id";

    @Test
    void carriesTenThousandChangesOfEightWritersToTheReplica() throws Exception {
        String broker = TestEnvironment.broker().url();
        TestDatabase master = TestEnvironment.database("shop_master");
        TestDatabase replica = TestEnvironment.database("shop_replica");
        String name = "e2e_" + System.nanoTime();
        replica.execute(
                Files.readString(TestEnvironment.root().resolve("examples/shop/src/main/resources/product_ref.sql")));
        for (TestDatabase database : List.of(master, replica)) {
            try (TestProcess migrate = TestProcess.cqrs("migrate", "--database-url", database.url())
                    .start()) {
                assertThat(migrate.awaitExit()).as(migrate.output()).isZero();
            }
        }
        try (TestProcess relay = TestProcess.cqrs("relay")
                        .with("CQRS_TRANSPORT_URL", broker)
                        .with("CQRS_TRANSPORT_EXCHANGE", name)
                        .with("CQRS_DATABASE_URL", master.url())
                        .start();
                TestProcess worker = TestProcess.cqrs(
                                "consume",
                                "-w",
                                "2",
                                "--app",
                                TestProcess.shop().toString())
                        .with("CQRS_TRANSPORT_URL", broker)
                        .with("CQRS_TRANSPORT_EXCHANGE", name)
                        .with("CQRS_DATABASE_URL", replica.url())
                        .with("CQRS_QUEUE", name)
                        .start();
                TestProcess writers = TestProcess.main(Catalogue.class)
                        .with("SHOP_DATABASE_URL", master.url())
                        .with("SHOP_CHANGES", "10000")
                        .with("SHOP_PRODUCTS", "500")
                        .with("SHOP_WRITERS", "8")
                        .start()) {
            assertThat(writers.awaitExit()).as(writers.output()).isZero();
            assertThat(writers.output()).contains("changes made: 10000");
            await().alias("outbox empty and tables equal")
                    .atMost(Duration.ofSeconds(90))
                    .until(() -> master.count("cqrs.outbox") == 0
                            && replica.rows(REPLICA_ROWS).equals(master.rows(MASTER_ROWS)));
            assertThat(replica.rows(REPLICA_ROWS)).hasSizeGreaterThan(300).isEqualTo(master.rows(MASTER_ROWS));
            for (TestProcess service : List.of(relay, worker)) {
                assertThat(service.isAlive()).isTrue();
                service.terminate();
                assertThat(service.awaitExit()).isEqualTo(143);
            }
        } finally {
            try (RabbitTransport cleaning = RabbitTransport.of(
                    RabbitConfig.builder(broker).exchange(name).build())) {
                cleaning.decommission(ReplicaQueue.of(name, Set.of(CqrsId.of("product"))));
            }
        }
    }
}
