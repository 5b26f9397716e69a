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
import io.cqrs.replica.CqrsReplica;
import io.cqrs.transport.memory.InMemoryTransport;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** A connection to the database whose other end is gone without a word. */
@ExtendWith(TestEnvironment.class)
@Timeout(120)
class SilentDatabaseIT {

    @Test
    void isGivenUpByAWorkerAfterItsStatementTimeoutAndWhatItHeldIsApplied() throws Exception {
        TestDatabase database = TestEnvironment.database("silent");
        CqrsSchema.standard().migrate(database.dataSource());
        database.execute(Item.REPLICA);
        URI server = URI.create(database.url().substring("jdbc:".length()));
        InMemoryTransport transport = new InMemoryTransport();
        Outcomes outcomes = new Outcomes();
        try (TcpProxy link = TcpProxy.to(server.getHost(), server.getPort());
                CqrsReplica replica = CqrsReplica.builder(UrlDataSource.of(
                                database.url()
                                        .replace(server.getHost() + ":" + server.getPort(), "127.0.0.1:" + link.port()),
                                null,
                                null))
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

    private static Change save(long id) {
        return Change.of(
                Signal.SAVE,
                EntityKey.of(CqrsId.of("item"), id),
                Stamp.of(Instant.parse("2026-11-22T04:00:00Z"), 0),
                Map.of("id", id, "name", "n"));
    }
}
