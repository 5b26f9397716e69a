package io.cqrs.it.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.NetworkHost;
import io.cqrs.it.support.Queues;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.it.support.TestProcess;
import io.cqrs.master.CqrsRelay;
import io.cqrs.tools.servers.DatabaseServer;
import io.cqrs.tools.servers.Servers;
import io.cqrs.transport.memory.InMemoryTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The host of the relay that leads is gone, and the network says nothing of it. */
@Timeout(180)
class VanishedHostIT {

    private static final Duration TAKEN_OVER_WITHIN = Duration.ofSeconds(30);

    @Test
    void leavesTheLeadToAnotherRelayWithinHalfAMinute() throws Exception {
        assumeTrue(NetworkHost.isPossible(), "a host of its own needs root, and ip of iproute2");
        try (Servers servers = Servers.forTests()) {
            Optional<DatabaseServer> server = servers.anotherDatabase();
            TestEnvironment.require(server.isPresent(), "the binaries of PostgreSQL are not here");
            String url = server.orElseThrow().createDatabase("vanished");
            TestDatabase database = new TestDatabase(url, UrlDataSource.of(url, null, null));
            CqrsSchema.standard().migrate(database.dataSource());
            database.execute("copy (select 'host all all " + NetworkHost.ADDRESSES
                    + " trust') to program 'cat >> pg_hba.conf'; select pg_reload_conf()");
            InMemoryTransport transport = new InMemoryTransport();
            transport.declare(ReplicaQueue.of("vanished", Set.of(CqrsId.of("item"))));
            try (NetworkHost host = NetworkHost.open();
                    TestProcess leader = TestProcess.main(LonelyRelay.class, url)
                            .under(host.starter())
                            .start();
                    CqrsRelay heir = CqrsRelay.builder(database.dataSource())
                            .transport(transport)
                            .build()) {
                await().atMost(Duration.ofSeconds(60))
                        .until(() -> leader.output().contains("active") || !leader.isAlive());
                heir.start();
                assertThat(leader.isAlive()).as(leader.output()).isTrue();
                assertThat(database.count("pg_locks where locktype = 'advisory' and granted"))
                        .isOne();
                host.vanish();
                long gone = System.nanoTime();
                database.execute(
                        "insert into cqrs.outbox (cqrs_id, instance_pk, routing_key, body) values ('item', '1',"
                                + " 'item', '1')");
                assertThat(heir.status().active()).isFalse();
                await().atMost(TAKEN_OVER_WITHIN).until(() -> heir.status().active());
                System.err.println("the leader's host is gone: taken over after "
                        + Duration.ofNanos(System.nanoTime() - gone).toMillis() + " ms");
                assertThat(Queues.take(transport, "vanished", 1)).hasSize(1);
            }
        }
    }
}
