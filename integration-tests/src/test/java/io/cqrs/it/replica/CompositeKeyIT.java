package io.cqrs.it.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.Change;
import io.cqrs.core.CqrsId;
import io.cqrs.core.EntityKey;
import io.cqrs.core.Signal;
import io.cqrs.core.Stamp;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.Outcomes;
import io.cqrs.it.support.Queues;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.replica.Outcome;
import io.cqrs.replica.Replica;
import io.cqrs.replica.ReplicaContext;
import io.cqrs.replica.ReplicaEntity;
import io.cqrs.replica.ReplicaHandler;
import io.cqrs.transport.memory.InMemoryTransport;
import jakarta.persistence.Column;
import jakarta.persistence.Embeddable;
import jakarta.persistence.EmbeddedId;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.IdClass;
import jakarta.persistence.Table;
import java.io.Serializable;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Replicas by entity with keys of several parts, whose tables have them in another order than their classes. */
@ExtendWith(TestEnvironment.class)
class CompositeKeyIT {

    @Test
    void takesTheKeysPartsInTheOrderOfTheirClass() throws Exception {
        TestDatabase database = TestEnvironment.database("composite");
        CqrsSchema.standard().migrate(database.dataSource());
        database.execute("create table line_ref (a_line int, z_order bigint, name text, cqrs_revision bigint,"
                + " cqrs_updated timestamptz, primary key (a_line, z_order));"
                + " create table slot_ref (hall int, code text, name text, cqrs_revision bigint,"
                + " cqrs_updated timestamptz, primary key (hall, code))");
        Outcomes outcomes = new Outcomes();
        try (MasterUnit unit = MasterUnit.on(database, LineRef.class, SlotRef.class);
                InMemoryTransport transport = new InMemoryTransport();
                CqrsReplica replica = CqrsReplica.builder(unit.sessions())
                        .dataSource(database.dataSource())
                        .transport(transport)
                        .queue("composite")
                        .listener(outcomes)
                        .build()) {
            transport.declare(replica.queue());
            replica.start();
            Queues.put(
                    transport,
                    "composite",
                    save("line", List.of(7L, 1L), Map.of("z_order", 7L, "a_line", 1L, "name", "a")),
                    save("slot", List.of("x", 2L), Map.of("code", "x", "hall", 2L, "name", "b")));
            await().until(() -> outcomes.ended() == 2);
        }
        assertThat(outcomes.dead()).isZero();
        assertThat(database.rows("select z_order, a_line, name from line_ref")).containsExactly("7|1|a");
        assertThat(database.rows("select code, hall, name from slot_ref")).containsExactly("x|2|b");
    }

    @Test
    void callsHooksForThem() throws Exception {
        TestDatabase database = TestEnvironment.database("composite_hooks");
        CqrsSchema.standard().migrate(database.dataSource());
        database.execute("create table seat_ref (row_no int, hall text, name text, cqrs_revision bigint,"
                + " cqrs_updated timestamptz, primary key (row_no, hall));"
                + " create table step_ref (hall int, code text, name text, cqrs_revision bigint,"
                + " cqrs_updated timestamptz, primary key (hall, code))");
        Outcomes outcomes = new Outcomes();
        try (MasterUnit unit = MasterUnit.on(database, SeatRef.class, StepRef.class);
                InMemoryTransport transport = new InMemoryTransport();
                CqrsReplica replica = CqrsReplica.builder(unit.sessions())
                        .dataSource(database.dataSource())
                        .transport(transport)
                        .queue("composite_hooks")
                        .listener(outcomes)
                        .build()) {
            transport.declare(replica.queue());
            replica.start();
            Stamp later = Stamp.of(Instant.parse("2026-11-21T01:16:01Z"), 1);
            EntityKey second = EntityKey.of(CqrsId.of("seat"), List.<Object>of("B", 2L));
            EntityKey step = EntityKey.of(CqrsId.of("step"), List.<Object>of("x", 2L));
            Queues.put(
                    transport,
                    "composite_hooks",
                    save("seat", List.of("A", 1L), Map.of("hall", "A", "row_no", 1L, "name", "a")),
                    save("seat", List.of("B", 2L), Map.of("hall", "B", "row_no", 2L, "name", "b")),
                    save("step", List.of("x", 2L), Map.of("code", "x", "hall", 2L, "name", "s")));
            await().until(() -> outcomes.ended() == 3);
            Queues.put(
                    transport,
                    "composite_hooks",
                    Change.of(Signal.SAVE, step, later, Map.of("name", "t")),
                    Change.of(Signal.DELETE, second, later, Map.of()),
                    save("step", List.of("x"), Map.of("name", "short")));
            await().until(() -> outcomes.ended() - outcomes.of(Outcome.REJECTED) + outcomes.dead() == 6);
        }
        assertThat(outcomes.dead()).isEqualTo(1);
        assertThat(database.rows("select hall, row_no, name from seat_ref")).containsExactly("A|1|a!");
        assertThat(database.rows("select code, hall, name, cqrs_revision from step_ref"))
                .containsExactly("x|2|t!|1");
    }

    private static Change save(String model, List<Object> key, Map<String, Object> data) {
        Stamp stamp = Stamp.of(Instant.parse("2026-11-21T01:16:00.000001Z"), 0);
        return Change.of(Signal.SAVE, EntityKey.of(CqrsId.of(model), key), stamp, data);
    }

    /** Its class says: the order, then the line. */
    @Embeddable
    record LineId(
            @Column(name = "z_order") Long order,
            @Column(name = "a_line") Integer line) implements Serializable {}

    /** A line of an order. */
    @Entity
    @Table(name = "line_ref")
    @Replica("line")
    static class LineRef extends ReplicaEntity {
        @EmbeddedId
        LineId id;

        String name;
    }

    /** The code, then the hall. */
    record SlotId(String code, Integer hall) implements Serializable {}

    /** A place in a hall. */
    @Entity
    @Table(name = "slot_ref")
    @IdClass(SlotId.class)
    @Replica("slot")
    static class SlotRef extends ReplicaEntity {
        @Id
        String code;

        @Id
        Integer hall;

        String name;
    }

    /** The hall, then the row: a class with fields. */
    @Embeddable
    static class SeatId implements Serializable {
        private static final long serialVersionUID = 1L;
        String hall;

        @Column(name = "row_no")
        int row;

        @Override
        public boolean equals(Object other) {
            return other instanceof SeatId id && id.hall.equals(hall) && id.row == row;
        }

        @Override
        public int hashCode() {
            return Objects.hash(hall, row);
        }
    }

    /** A seat. */
    @Entity
    @Table(name = "seat_ref")
    @Replica(value = "seat", handler = Loud.class)
    static class SeatRef extends ReplicaEntity implements Named {
        @EmbeddedId
        SeatId id;

        String name;

        @Override
        public void shout() {
            name += "!";
        }
    }

    /** A step, by an id class that is a record. */
    @Entity
    @Table(name = "step_ref")
    @IdClass(SlotId.class)
    @Replica(value = "step", handler = Loud.class)
    static class StepRef extends ReplicaEntity implements Named {
        @Id
        String code;

        @Id
        Integer hall;

        String name;

        @Override
        public void shout() {
            name += "!";
        }
    }

    /** Has a name. */
    interface Named {
        void shout();
    }

    /** Shouts names. */
    static class Loud extends ReplicaHandler<Named> {
        @Override
        public @Nullable Named save(@Nullable Named row, Change change, ReplicaContext<Named> context)
                throws Exception {
            Named saved = super.save(row, change, context);
            saved.shout();
            return saved;
        }
    }
}
