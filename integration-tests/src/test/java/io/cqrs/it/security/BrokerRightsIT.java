package io.cqrs.it.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.Backoff;
import io.cqrs.core.Change;
import io.cqrs.core.CqrsId;
import io.cqrs.core.EntityKey;
import io.cqrs.core.Signal;
import io.cqrs.core.Stamp;
import io.cqrs.core.TransportException;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.Item;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.Outcomes;
import io.cqrs.it.support.Queues;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.CqrsRelay;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.replica.DeadLetterFilter;
import io.cqrs.replica.DeadLetters;
import io.cqrs.replica.RetryPolicy;
import io.cqrs.tools.servers.BrokerServer;
import io.cqrs.tools.servers.Servers;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Relay and worker, each as a user of the broker with the rights that docs/operations.md gives it and no others. */
@ExtendWith(TestEnvironment.class)
@Timeout(240)
class BrokerRightsIT {

    private static final ReplicaQueue QUEUE = ReplicaQueue.of("storefront", Set.of(CqrsId.of("item")));

    private Servers servers;
    private BrokerServer broker;

    @BeforeEach
    void start() throws Exception {
        servers = Servers.forTests();
        List<BrokerServer> brokers = servers.brokerCluster(1);
        TestEnvironment.require(
                !brokers.isEmpty(), "a broker's own users need the binaries of RabbitMQ, which are not here");
        broker = brokers.get(0);
        Matcher commands = Pattern.compile("rabbitmqctl (set_permissions .*)")
                .matcher(Files.readString(TestEnvironment.root().resolve("docs/operations.md")));
        while (commands.find()) {
            String[] words = commands.group(1).replace("'", "").split(" ");
            String unused = broker.rabbitmqctl("add_user", words[1], "x");
            unused = broker.rabbitmqctl(words);
        }
    }

    @AfterEach
    void stop() {
        servers.close();
    }

    @Test
    void letEachDoItsWorkAndNothingElse() throws Exception {
        TestDatabase database = TestEnvironment.database("broker_rights");
        CqrsSchema.standard().migrate(database.dataSource());
        database.execute(Item.REPLICA + "; alter table item_ref add constraint no_bad check (name <> 'bad')");
        Outcomes outcomes = new Outcomes();
        try (RabbitTransport relays = as("relay");
                RabbitTransport workers = as("worker");
                MasterUnit unit = MasterUnit.on(database, Item.class);
                CqrsReplica replica = CqrsReplica.builder(database.dataSource())
                        .replica(Item.definition())
                        .transport(workers)
                        .queue(QUEUE.name())
                        .retries(new RetryPolicy(1, Backoff.constant(Duration.ofSeconds(1))))
                        .listener(outcomes)
                        .build();
                CqrsRelay relay = CqrsRelay.builder(database.dataSource())
                        .transport(relays)
                        .build()) {
            replica.start();
            await().ignoreExceptions().until(() -> workers.inspect(QUEUE.name()).consumers() == 1);
            relay.start();
            unit.commit(session -> session.persist(new Item(1, "a").with(1, "1.00")));
            unit.commit(session -> session.persist(new Item(2, "bad").with(1, "1.00")));
            await().until(() -> database.count("item_ref") == 1
                    && outcomes.retried() == 1
                    && workers.inspect(QUEUE.deadLetters()).ready() == 1);
            database.execute("alter table item_ref drop constraint no_bad");
            DeadLetters letters = DeadLetters.of(workers, QUEUE.name());
            assertThat(letters.retry(DeadLetterFilter.ALL, letter -> {})).isOne();
            await().until(() -> database.count("item_ref") == 2);

            assertThatThrownBy(() -> relays.declare(QUEUE)).isInstanceOf(TransportException.class);
            assertThatThrownBy(() -> Queues.take(relays, QUEUE.name(), 1)).isInstanceOf(TransportException.class);
        }
        try (RabbitTransport stranger = as("viewer")) {
            assertThatThrownBy(() -> Queues.put(stranger, QUEUE.name(), change()))
                    .isInstanceOf(TransportException.class);
            assertThatThrownBy(() -> Queues.take(stranger, QUEUE.name(), 1)).isInstanceOf(TransportException.class);
            assertThat(stranger.inspect(QUEUE.name()).consumers()).isZero();
        }
    }

    private static Change change() {
        return Change.of(
                Signal.SAVE,
                EntityKey.of(CqrsId.of("item"), 3L),
                Stamp.of(Instant.parse("2026-11-28T00:00:00Z"), 0),
                Map.of("id", 3L));
    }

    private RabbitTransport as(String user) {
        return RabbitTransport.of(RabbitConfig.builder(broker.url().replace("guest:guest", user + ":x"))
                .exchange("cqrs")
                .build());
    }
}
