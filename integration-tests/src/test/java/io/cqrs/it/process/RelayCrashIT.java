package io.cqrs.it.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.CqrsId;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.Queues;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.it.support.TestProcess;
import io.cqrs.master.CqrsRelay;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.Delivery;
import io.cqrs.transport.spi.ReplicaQueue;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Relays and masters that are killed by SIGKILL, each at a certain step. */
@ExtendWith(TestEnvironment.class)
@Timeout(180)
class RelayCrashIT {

    private static final int ROWS = 3500;
    /** What is promised, and several times what it takes. */
    private static final Duration TAKEN_OVER_WITHIN = Duration.ofSeconds(5);

    private final String name = "crash_" + System.nanoTime();
    private final ReplicaQueue queue = ReplicaQueue.of(name, Set.of(CqrsId.of("item")));
    private RabbitTransport transport;
    private TestDatabase database;

    @BeforeEach
    void start() throws InterruptedException {
        database = TestEnvironment.database("crash");
        CqrsSchema.standard().migrate(database.dataSource());
        transport =
                RabbitTransport.of(RabbitConfig.builder(TestEnvironment.broker().url())
                        .exchange(name)
                        .build());
        transport.declare(queue);
    }

    @AfterEach
    void stop() throws InterruptedException {
        transport.decommission(queue);
        transport.close();
    }

    @ParameterizedTest
    @EnumSource(DoomedRelay.Step.class)
    void losesNothingWhenARelayIsKilledAndAnotherTakesOverAtOnce(DoomedRelay.Step step) throws Exception {
        database.execute(
                "insert into cqrs.outbox (cqrs_id, instance_pk, routing_key, body) select 'item', i::text, 'item',"
                        + " i::text from generate_series(1, " + ROWS + ") i");
        try (TestProcess doomed = TestProcess.main(
                                DoomedRelay.class,
                                database.url(),
                                TestEnvironment.broker().url(),
                                name,
                                step.name())
                        .start();
                CqrsRelay heir = CqrsRelay.builder(database.dataSource())
                        .transport(transport)
                        .build()) {
            await().atMost(Duration.ofSeconds(60)).until(() -> doomed.output().contains("active") || !doomed.isAlive());
            heir.start();
            assertThat(doomed.awaitExit()).as(doomed.output()).isEqualTo(137);
            long killed = System.nanoTime();
            await().atMost(TAKEN_OVER_WITHIN).until(() -> heir.status().active());
            System.err.println("relay killed at " + step + ": taken over after "
                    + Duration.ofNanos(System.nanoTime() - killed).toMillis() + " ms");
            await().atMost(Duration.ofSeconds(60)).until(() -> database.count("cqrs.outbox") == 0);
        }
        List<Integer> numbers = numbers();
        List<Integer> firsts = new ArrayList<>();
        for (int number : numbers) {
            if (firsts.isEmpty() || number > firsts.get(firsts.size() - 1)) {
                firsts.add(number);
            }
        }
        assertThat(firsts)
                .as("each once, in order, but for repeats")
                .hasSize(ROWS)
                .doesNotHaveDuplicates();
        if (step == DoomedRelay.Step.AFTER_FETCH) {
            assertThat(numbers).hasSize(ROWS);
        } else {
            assertThat(numbers).hasSizeGreaterThan(ROWS);
        }
    }

    @ParameterizedTest
    @EnumSource(DoomedMaster.Step.class)
    void sendsWhatAKilledMasterHadCommittedAndNothingElse(DoomedMaster.Step step) throws Exception {
        try (TestProcess doomed = TestProcess.main(DoomedMaster.class, database.url(), step.name())
                .start()) {
            assertThat(doomed.awaitExit()).as(doomed.output()).isEqualTo(137);
        }
        await().until(() -> database.count("pg_stat_activity where application_name = 'doomed'") == 0);
        List<String> rows = database.rows("select id from item order by id");
        assertThat(rows).isEqualTo(step == DoomedMaster.Step.BEFORE_COMMIT ? List.of("1") : List.of("1", "2"));
        assertThat(database.rows("select instance_pk from cqrs.outbox order by id"))
                .isEqualTo(rows);
    }

    private List<Integer> numbers() {
        List<Integer> numbers = new ArrayList<>();
        for (Delivery one : Queues.takeAll(transport, name, ROWS)) {
            numbers.add(Integer.parseInt(new String(one.body(), StandardCharsets.UTF_8)));
        }
        return numbers;
    }
}
