package io.cqrs.it.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.Change;
import io.cqrs.core.CqrsId;
import io.cqrs.core.EntityKey;
import io.cqrs.core.Signal;
import io.cqrs.core.Stamp;
import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.Item;
import io.cqrs.it.support.Outcomes;
import io.cqrs.it.support.Queues;
import io.cqrs.it.support.TcpProxy;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.CqrsRelay;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.transport.memory.InMemoryTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import java.io.IOException;
import java.net.URI;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import javax.sql.DataSource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** A connection to the database whose other end is gone without a word. */
@ExtendWith(TestEnvironment.class)
@Timeout(180)
class SilentDatabaseIT {

    private static final String COUNTING = "pg_stat_activity where datname = current_database()"
            + " and wait_event_type = 'Lock' and query like '%count(*)%'";
    private static final String INSERT =
            "insert into cqrs.outbox (cqrs_id, instance_pk, routing_key, body) values ('item', '1', 'item', '{}')";

    @Test
    void isGivenUpByAWorkerAfterItsStatementTimeoutAndWhatItHeldIsApplied() throws Exception {
        TestDatabase database = TestEnvironment.database("silent");
        CqrsSchema.standard().migrate(database.dataSource());
        database.execute(Item.REPLICA);
        InMemoryTransport transport = new InMemoryTransport();
        Outcomes outcomes = new Outcomes();
        try (TcpProxy link = linkTo(database);
                CqrsReplica replica = CqrsReplica.builder(through(link, database))
                        .replica(Item.definition())
                        .transport(transport)
                        .queue("silent")
                        .statementTimeout(Duration.ofSeconds(1))
                        .listener(outcomes)
                        .build()) {
            transport.declare(replica.queue());
            replica.start();
            Queues.put(transport, "silent", save(1));
            await().until(() -> database.count("item_ref") == 1);
            link.strand();
            Queues.put(transport, "silent", save(2));
            await().atMost(Duration.ofSeconds(60)).until(() -> database.count("item_ref") == 2);
            assertThat(outcomes.retried() + outcomes.dead())
                    .as("attempts spent")
                    .isZero();
        }
    }

    /** Its server notices within half a minute, by the system's own means, that nobody is there. */
    @Test
    @Tag("large")
    void isGivenUpByARelayAfterAMinuteAndWhatWaitedIsSent() throws Exception {
        TestDatabase database = TestEnvironment.database("silent_master");
        CqrsSchema.standard().migrate(database.dataSource());
        InMemoryTransport transport = new InMemoryTransport();
        transport.declare(ReplicaQueue.of("silent", Set.of(CqrsId.of("item"))));
        try (TcpProxy link = linkTo(database);
                CqrsRelay relay = CqrsRelay.builder(through(link, database))
                        .transport(transport)
                        .build()) {
            relay.start();
            database.execute(INSERT);
            assertThat(Queues.take(transport, "silent", 1)).hasSize(1);
            try (Connection other = database.dataSource().getConnection();
                    Statement statement = other.createStatement()) {
                other.setAutoCommit(false);
                statement.execute("lock table cqrs.outbox");
                // So its gauge is amid a question, too.
                await().until(() -> database.count(COUNTING) == 1);
                link.strand();
            }
            database.execute(INSERT);
            database.execute(INSERT.replace("'item'", "'nobody'"));
            database.rows("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'");
            await().atMost(Duration.ofSeconds(90)).until(() -> database.count("cqrs.outbox") == 1);
            assertThat(Queues.take(transport, "silent", 1)).hasSize(1);
            await().atMost(Duration.ofSeconds(90)).until(() -> relay.status().waiting() == 1);
        }
    }

    private static TcpProxy linkTo(TestDatabase database) throws IOException {
        URI server = server(database);
        return TcpProxy.to(server.getHost(), server.getPort());
    }

    private static URI server(TestDatabase database) {
        return URI.create(database.url().substring("jdbc:".length()));
    }

    private static DataSource through(TcpProxy link, TestDatabase database) {
        URI server = server(database);
        String url = database.url().replace(server.getHost() + ":" + server.getPort(), "127.0.0.1:" + link.port());
        return UrlDataSource.of(url, null, null);
    }

    private static Change save(long id) {
        return Change.of(
                Signal.SAVE,
                EntityKey.of(CqrsId.of("item"), id),
                Stamp.of(Instant.parse("2026-11-22T04:00:00Z"), 0),
                Map.of("id", id, "name", "n"));
    }
}
