package io.cqrs.it.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.Change;
import io.cqrs.core.CqrsId;
import io.cqrs.core.EntityKey;
import io.cqrs.core.Signal;
import io.cqrs.core.Stamp;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.Outcomes;
import io.cqrs.it.support.Queues;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.replica.Order;
import io.cqrs.replica.Outcome;
import io.cqrs.replica.Replica;
import io.cqrs.replica.ReplicaContext;
import io.cqrs.replica.ReplicaDefinition;
import io.cqrs.replica.ReplicaEntity;
import io.cqrs.replica.ReplicaHandler;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Two workers of one table, one of which is held where it has judged a change and not committed it. */
@ExtendWith(TestEnvironment.class)
class GuardLocksIT {

    private static final CqrsId NOTE = CqrsId.of("note");
    private static final Instant T0 = Instant.parse("2026-11-21T01:16:00.000001Z");
    private static final String WAITING =
            "pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
    private static final String ROWS = "select id, name, own, cqrs_revision from note order by id";

    private final String name = "guard_locks_" + System.nanoTime();
    private final Gate gate = new Gate();
    private final Outcomes held = new Outcomes();
    private final Outcomes other = new Outcomes();
    private TestDatabase database;
    private RabbitTransport transport;

    @BeforeEach
    void start() {
        database = TestEnvironment.database("guard_locks");
        CqrsSchema.standard().migrate(database.dataSource());
        database.execute("create table note (id bigint primary key, name text, own integer,"
                + " cqrs_revision bigint not null, cqrs_updated timestamptz not null)");
        transport =
                RabbitTransport.of(RabbitConfig.builder(TestEnvironment.broker().url())
                        .exchange(name)
                        .build());
    }

    @AfterEach
    void stop() throws InterruptedException {
        transport.decommission(ReplicaQueue.of(name + "a", Set.of(NOTE)));
        transport.decommission(ReplicaQueue.of(name + "b", Set.of(NOTE)));
        transport.close();
    }

    @Test
    void keepsTheLaterStateThatComesWhileAHookHasAnEarlierOne() throws Exception {
        database.execute("insert into note values (1, 'first', 7, 0, '2026-11-21 01:16:00+00')");
        withHooks(() -> {
            put("a", save(1, "held"));
            gate.entered.await();
            put("b", save(2, "later"));
            await().until(() -> database.count(WAITING) > 0 || other.ended() > 0);
            gate.open.countDown();
        });
        assertThat(database.rows(ROWS)).containsExactly("1|later|7|2");
        assertThat(other.of(Outcome.APPLIED)).isEqualTo(1);
    }

    @Test
    void bringsNoRowBackThatIsDeletedWhileAHookCreatesIt() throws Exception {
        withHooks(() -> {
            put("a", save(0, "held"));
            gate.entered.await();
            put("b", delete());
            await().until(() -> database.count(WAITING) > 0 || other.ended() > 0);
            gate.open.countDown();
        });
        assertThat(database.rows(ROWS)).isEmpty();
    }

    @Test
    void keepsWhatTheServiceItselfWritesToARowWhileAHookHasIt() throws Exception {
        database.execute("insert into note values (1, 'first', 7, 0, '2026-11-21 01:16:00+00')");
        withHooks(() -> {
            put("a", save(1, "held"));
            gate.entered.await();
            var write = CompletableFuture.runAsync(() -> database.execute("update note set own = 8 where id = 1"));
            await().until(() -> database.count(WAITING) > 0 || write.isDone());
            gate.open.countDown();
            write.join();
            put("b", save(2, "later"));
        });
        assertThat(database.rows(ROWS)).containsExactly("1|later|8|2");
    }

    @Test
    void bringsNoRowBackThatIsDeletedWhileAStatementCreatesIt() throws Exception {
        database.execute("""
                create function hold() returns trigger language plpgsql as $$
                begin
                    perform pg_advisory_xact_lock(1);
                    return new;
                end $$""");
        database.execute("create trigger hold before insert on note for each row execute function hold()");
        try (CqrsReplica a = sets("a", held);
                CqrsReplica b = sets("b", other);
                Connection holder = database.dataSource().getConnection();
                Statement hold = holder.createStatement()) {
            a.start();
            b.start();
            hold.execute("select pg_advisory_lock(1)");
            put("a", save(0, "held"));
            await().until(() -> database.count(WAITING) > 0);
            put("b", delete());
            await().until(() -> database.count("cqrs.tombstone") > 0);
            hold.execute("select pg_advisory_unlock(1)");
            awaitBoth();
        }
        assertThat(database.rows(ROWS)).isEmpty();
        assertThat(held.of(Outcome.APPLIED)).as("it did create the row").isEqualTo(1);
    }

    private interface Action {
        void run() throws Exception;
    }

    private void withHooks(Action action) throws Exception {
        try (MasterUnit unit = MasterUnit.on(database, Note.class);
                CqrsReplica a = hooks(unit, "a", held);
                CqrsReplica b = hooks(unit, "b", other)) {
            a.start();
            b.start();
            action.run();
            awaitBoth();
        }
    }

    private void awaitBoth() {
        await().until(() -> held.ended() > 0 && other.ended() > 0);
    }

    private CqrsReplica hooks(MasterUnit unit, String queue, Outcomes outcomes) throws InterruptedException {
        return declared(CqrsReplica.builder(unit.sessions())
                .handlers(type -> gate)
                .dataSource(database.dataSource())
                .transport(transport)
                .queue(name + queue)
                .listener(outcomes)
                .build());
    }

    private CqrsReplica sets(String queue, Outcomes outcomes) throws InterruptedException {
        return declared(CqrsReplica.builder(database.dataSource())
                .replica(ReplicaDefinition.ofTable(NOTE, TableName.parse("note"), Map.of(), Order.UPDATED))
                .transport(transport)
                .queue(name + queue)
                .listener(outcomes)
                .build());
    }

    private CqrsReplica declared(CqrsReplica replica) throws InterruptedException {
        transport.declare(replica.queue());
        return replica;
    }

    private void put(String queue, Change change) {
        Queues.put(transport, name + queue, change);
    }

    private static Change save(long revision, String name) {
        return change(Signal.SAVE, revision, Map.of("id", 1L, "name", name));
    }

    private static Change delete() {
        return change(Signal.DELETE, 1, Map.of());
    }

    private static Change change(Signal signal, long revision, Map<String, Object> data) {
        return Change.of(signal, EntityKey.of(NOTE, 1L), Stamp.of(T0.plusSeconds(revision), revision), data);
    }

    /** Holds a change until it is let go, with what is known of its row in its hands. */
    static final class Gate extends ReplicaHandler<Note> {
        final CountDownLatch entered = new CountDownLatch(1);
        final CountDownLatch open = new CountDownLatch(1);

        @Override
        public Note save(Note row, Change change, ReplicaContext<Note> context) throws Exception {
            if ("held".equals(change.data().get("name"))) {
                entered.countDown();
                open.await();
            }
            return super.save(row, change, context);
        }
    }

    @Entity(name = "note")
    @Replica(value = "note", handler = Gate.class)
    static class Note extends ReplicaEntity {
        @Id
        Long id;

        String name;
        Integer own;
    }
}
