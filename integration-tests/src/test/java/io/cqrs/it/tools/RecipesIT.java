package io.cqrs.it.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.Repeating;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.BulkDump;
import io.cqrs.master.CqrsRelay;
import io.cqrs.master.DiffReport;
import io.cqrs.master.MasterDiff;
import io.cqrs.master.MasterRows;
import io.cqrs.master.MasterTable;
import io.cqrs.master.TriggerCapture;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.replica.Order;
import io.cqrs.replica.ReplicaDefinition;
import io.cqrs.replica.ReplicaStore;
import io.cqrs.transport.pipe.DiffStream;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** What docs/operations.md recommends, as it says it. */
@ExtendWith(TestEnvironment.class)
@Timeout(300)
class RecipesIT {

    private static final CqrsId ITEM = CqrsId.of("item");
    private static final MasterTable TABLE = MasterTable.of(ITEM, TableName.parse("item"));
    private static final String ROWS = "select id, name, cqrs_revision, cqrs_updated from %s order by id";

    private TestDatabase master;
    private TestDatabase replica;
    private RabbitTransport transport;
    private CqrsRelay relay;
    private CqrsReplica workers;

    @BeforeEach
    void create() {
        master = TestEnvironment.database("recipe_master");
        replica = TestEnvironment.database("recipe_replica");
        CqrsSchema.standard().migrate(master.dataSource());
        CqrsSchema.standard().migrate(replica.dataSource());
        master.execute("create table item (id bigint primary key, name text)");
        TriggerCapture capture = TriggerCapture.of(master.dataSource());
        assertThat(capture.addColumns(TABLE.table())).isTrue();
        capture.install(TABLE);
        replica.execute("create table ref (id bigint primary key, name text, cqrs_revision bigint, cqrs_updated"
                + " timestamptz)");
        String name = "recipe_" + System.nanoTime();
        transport =
                RabbitTransport.of(RabbitConfig.builder(TestEnvironment.broker().url())
                        .exchange(name)
                        .build());
        relay = CqrsRelay.builder(master.dataSource()).transport(transport).build();
        workers = CqrsReplica.builder(replica.dataSource())
                .transport(transport)
                .queue(name)
                .workers(2)
                .replica(definition())
                .build();
    }

    @AfterEach
    void stop() throws Exception {
        workers.close();
        relay.close();
        transport.decommission(workers.queue());
        transport.close();
    }

    @Test
    void fillsANewReplicaWhileTheMasterIsWritten() throws Exception {
        long seed = System.nanoTime();
        master.execute("insert into item select i, 'n' || i from generate_series(1, 5000) i");
        Random random = new Random(seed);
        AtomicLong writes = new AtomicLong();
        transport.declare(workers.queue());
        relay.start();
        try (Repeating unusedWriter = Repeating.start(() -> write(random, writes))) {
            await().until(() -> writes.get() > 100);
            ByteArrayOutputStream dump = new ByteArrayOutputStream();
            try (MasterRows rows = MasterRows.of(master.dataSource(), TABLE)) {
                BulkDump.Result unused = BulkDump.of(rows).to(dump);
            }
            long atDump = writes.get();
            await().until(() -> writes.get() > atDump + 100);
            assertThat(store().load()
                            .from(new ByteArrayInputStream(dump.toByteArray()))
                            .rejected())
                    .isZero();
            workers.start();
            long atLoad = writes.get();
            await().atMost(Duration.ofSeconds(30)).until(() -> writes.get() > atLoad + 100);
        }
        awaitEqual("seed " + seed);
    }

    @Test
    void followsAMasterThatWentBack() throws Exception {
        master.execute("insert into item select i, 'n' || i from generate_series(1, 100) i");
        relay.start();
        transport.declare(workers.queue());
        workers.start();
        master.execute("create table backup as select * from item");
        master.execute("update item set name = 'later' where id <= 10; delete from item where id in (20, 21);"
                + " insert into item values (500, 'later')");
        awaitEqual("before the restore");
        // The backup brings rows back with their revisions and times, past the triggers, as a restore does.
        master.execute(
                "set session_replication_role = replica; delete from item; insert into item select * from backup;"
                        + " set session_replication_role = origin");
        DiffReport report = mend();
        assertThat(List.of(report.ahead(), report.missing(), report.surplus())).containsExactly(10L, 2L, 1L);
        awaitEqual("after the restore");
        assertThat(mend().isEqual()).isTrue();
        master.execute("update item set name = 'goes on' where id in (5, 20)");
        awaitEqual("and on");
    }

    private void write(Random random, AtomicLong writes) {
        int id = random.nextInt(6000);
        switch (random.nextInt(3)) {
            case 0 -> master.execute("delete from item where id = " + id);
            case 1 -> master.execute("update item set name = 'u" + writes.get() + "' where id = " + id);
            default -> master.execute("insert into item values (" + id + ", 'i') on conflict do nothing");
        }
        writes.incrementAndGet();
    }

    private DiffReport mend() throws Exception {
        try (MasterRows rows = MasterRows.of(master.dataSource(), TABLE)) {
            ByteArrayOutputStream ranges = new ByteArrayOutputStream();
            MasterDiff.of(rows).ranges(50, ranges);
            ByteArrayOutputStream answer = new ByteArrayOutputStream();
            long unused =
                    store().diff().answer(stream(ranges), workers.queue().name(), Duration.ZERO, answer, told -> {});
            return MasterDiff.of(rows)
                    .repair(stream(answer), new MasterDiff.Options(false, true, (what, key) -> {}, waiting -> {}));
        }
    }

    private static DiffStream stream(ByteArrayOutputStream bytes) throws Exception {
        return DiffStream.open(new ByteArrayInputStream(bytes.toByteArray()));
    }

    private ReplicaStore store() {
        return ReplicaStore.of(replica.dataSource(), List.of(definition()));
    }

    private static ReplicaDefinition definition() {
        return ReplicaDefinition.ofTable(ITEM, TableName.parse("ref"), Map.of(), Order.UPDATED);
    }

    private void awaitEqual(String when) {
        await(when)
                .atMost(Duration.ofSeconds(60))
                .until(() -> master.count("cqrs.outbox") == 0
                        && replica.rows(ROWS.formatted("ref")).equals(master.rows(ROWS.formatted("item"))));
    }
}
