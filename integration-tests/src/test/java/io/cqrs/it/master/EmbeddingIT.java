package io.cqrs.it.master;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.CqrsId;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.Item;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.Queues;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.CqrsMaster;
import io.cqrs.transport.memory.InMemoryTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import org.hibernate.cfg.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Life within an application: started, stopped, started again, several in one. */
@ExtendWith(TestEnvironment.class)
class EmbeddingIT {

    @Test
    void keepsSeveralFactoriesAndSchemasOfOneDatabaseApart() throws Exception {
        TestDatabase database = TestEnvironment.database("embedding");
        try (MasterUnit first = unit(database, "first");
                MasterUnit second = unit(database, "second Schema");
                InMemoryTransport one = new InMemoryTransport();
                InMemoryTransport two = new InMemoryTransport();
                CqrsMaster firstMaster = master(first, one);
                CqrsMaster secondMaster = master(second, two)) {
            one.declare(ReplicaQueue.of("q", Set.of(CqrsId.of("item"))));
            two.declare(ReplicaQueue.of("q", Set.of(CqrsId.of("item"))));
            firstMaster.start();
            secondMaster.start();
            first.commit(session -> session.persist(new Item(1, "of the first")));
            second.commit(session -> session.persist(new Item(2, "of the second")));
            assertThat(new String(Queues.take(one, "q", 1).get(0).body(), StandardCharsets.UTF_8))
                    .contains("of the first");
            assertThat(new String(Queues.take(two, "q", 1).get(0).body(), StandardCharsets.UTF_8))
                    .contains("of the second");
            await().until(() ->
                    firstMaster.status().active() && secondMaster.status().active());
        }
    }

    @Test
    void startsAndStopsAgainAndLeavesNoThreadBehind() throws Exception {
        TestDatabase database = TestEnvironment.database("embedding_again");
        try (MasterUnit unit = unit(database, CqrsSchema.DEFAULT_NAME);
                InMemoryTransport transport = new InMemoryTransport()) {
            transport.declare(ReplicaQueue.of("q", Set.of(CqrsId.of("item"))));
            for (long round = 1; round <= 3; round++) {
                long id = round;
                try (CqrsMaster master = master(unit, transport)) {
                    master.start();
                    unit.commit(session -> session.persist(new Item(id, "round " + id)));
                    assertThat(Queues.take(transport, "q", 1)).hasSize(1);
                }
                assertThat(threads("cqrs-relay")).isZero();
                // Without a relay, commits go on, and what they send waits.
                unit.commit(session -> session.find(Item.class, id).name = "changed");
                assertThat(database.count("cqrs.outbox")).isEqualTo(1);
                try (CqrsMaster master = master(unit, transport)) {
                    master.start();
                    assertThat(Queues.take(transport, "q", 1)).hasSize(1);
                    await().until(() -> database.count("cqrs.outbox") == 0);
                }
            }
        }
        await().until(() -> threads("cqrs-notify") == 0);
    }

    private static long threads(String prefix) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith(prefix))
                .count();
    }

    private static MasterUnit unit(TestDatabase database, String schema) {
        Configuration configuration = MasterUnit.configuration(database, Item.class);
        configuration.getProperties().put("cqrs.schema", schema);
        return MasterUnit.of(configuration);
    }

    private static CqrsMaster master(MasterUnit unit, InMemoryTransport transport) {
        return CqrsMaster.builder(unit.sessions())
                .transport(transport)
                .migrateSchema()
                .build();
    }
}
