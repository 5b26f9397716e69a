package io.cqrs.it.master;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.Sent;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.BulkDump;
import io.cqrs.master.CqrsMaster;
import io.cqrs.master.Master;
import io.cqrs.master.MasterEntity;
import io.cqrs.master.MasterRows;
import io.cqrs.master.SyncProgress;
import io.cqrs.transport.memory.InMemoryTransport;
import jakarta.persistence.DiscriminatorColumn;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Inheritance;
import jakarta.persistence.InheritanceType;
import jakarta.persistence.SecondaryTable;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Bulk writes and syncs, which lock what they read: of hierarchies in one table, in joined tables and in several, of two tables. */
@ExtendWith(TestEnvironment.class)
class HierarchyIT {

    private static final int EACH = 20;
    private static final String LATER = "2999-01-01 00:00:00+00:00";

    private static TestDatabase database;
    private static MasterUnit unit;
    private static CqrsMaster master;

    @BeforeAll
    static void start() {
        database = TestEnvironment.database("hierarchy");
        CqrsSchema.standard().migrate(database.dataSource());
        unit = MasterUnit.on(
                database,
                Animal.class,
                Dog.class,
                Cat.class,
                Vehicle.class,
                Car.class,
                Truck.class,
                Shape.class,
                Circle.class,
                Square.class,
                Room.class);
        master = CqrsMaster.builder(unit.sessions())
                .transport(new InMemoryTransport())
                .build();
    }

    @BeforeEach
    void fill() {
        database.empty();
        for (Strategy strategy : Strategy.values()) {
            unit.commit(session -> master.bulkInsert(session, strategy.instances()));
        }
        assertThat(Sent.take(database)).hasSize(Strategy.values().length * 2 * EACH);
    }

    @AfterAll
    static void stop() {
        master.close();
        unit.close();
    }

    @ParameterizedTest
    @EnumSource
    void updatesRowsOfAllClassesAtOnce(Strategy strategy) {
        unit.commit(session -> assertThat(update(strategy.root, session)).isEqualTo(EACH));
        assertThat(Sent.take(database))
                .hasSize(EACH)
                .allSatisfy(one -> assertThat(one.field("size")).isEqualTo("7"))
                .allSatisfy(one -> assertThat(one.field("own")).isIn("1", "2"))
                .extracting(Sent::revision)
                .containsOnly(1L);
    }

    private <T extends Sized> long update(Class<T> type, org.hibernate.Session session) {
        return master.bulkUpdate(
                session,
                type,
                (row, cb) -> cb.lt(row.<Long>get("id"), EACH),
                (update, row, cb) -> update.set(row.<Integer>get("size"), 7));
    }

    @ParameterizedTest
    @EnumSource
    void deletesRowsOfAllClassesAtOnce(Strategy strategy) {
        unit.commit(session -> assertThat(
                        master.bulkDelete(session, strategy.root, (row, cb) -> cb.ge(row.<Long>get("id"), (long) EACH)))
                .isEqualTo(EACH));
        assertThat(Sent.take(database)).hasSize(EACH).extracting(Sent::signal).containsOnly("DELETE");
        unit.commit(session -> assertThat(
                        session.createSelectionQuery("select count(*) from " + strategy.root.getName(), Long.class)
                                .getSingleResult())
                .isEqualTo(EACH));
    }

    @ParameterizedTest
    @EnumSource
    void syncsRowsOfAllClasses(Strategy strategy) throws Exception {
        assertThat(master.sync(strategy.root).pageSize(1000).send().sent()).isEqualTo(strategy.own());
        assertThat(Sent.take(database))
                .hasSize(strategy.own())
                .allSatisfy(one -> assertThat(one.field("own")).isIn("1", "2"))
                .extracting(Sent::signal)
                .containsOnly("SYNC");
    }

    @ParameterizedTest
    @EnumSource(names = "TABLE_PER_CLASS", mode = EnumSource.Mode.EXCLUDE)
    void dumpsRowsOfAllClasses(Strategy strategy) throws Exception {
        try (MasterRows rows = MasterRows.of(unit.sessions(), strategy.root)) {
            assertThat(rows.count()).isEqualTo(strategy.own());
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            assertThat(BulkDump.of(rows).to(out).written()).isEqualTo(strategy.own());
            assertThat(out.toString(StandardCharsets.UTF_8).lines().skip(1))
                    .hasSize(strategy.own())
                    .allMatch(line -> line.contains("\"own\":"));
        }
    }

    @ParameterizedTest
    @EnumSource
    void updatesBehindWhatOthersCommitMeanwhile(Strategy strategy) throws Exception {
        whileOneHasWritten(
                strategy,
                () -> unit.commit(session -> {
                    long unused = update(strategy.root, session);
                }));
        assertSentOfTheRow(one -> {
            assertThat(one.updated()).isGreaterThan(LATER);
            assertThat(one.field("own")).isEqualTo("9");
            assertThat(one.field("size")).isEqualTo("7");
            assertThat(one.revision()).isEqualTo(2);
        });
    }

    @ParameterizedTest
    @EnumSource
    void deletesBehindWhatOthersCommitMeanwhile(Strategy strategy) throws Exception {
        whileOneHasWritten(
                strategy,
                () -> unit.commit(session -> {
                    long unused = master.bulkDelete(session, strategy.root, (row, cb) -> cb.lt(row.<Long>get("id"), 2));
                }));
        assertSentOfTheRow(one -> {
            assertThat(one.signal()).isEqualTo("DELETE");
            assertThat(one.updated()).isGreaterThan(LATER);
        });
    }

    @ParameterizedTest
    @EnumSource
    void leavesOutWhatOthersMadeUnwantedMeanwhile(Strategy strategy) throws Exception {
        whileOneHasWritten(
                strategy,
                () -> unit.commit(session -> {
                    long unused = master.bulkDelete(session, strategy.root, (row, cb) -> cb.equal(row.get("size"), 0));
                }));
        assertThat(Sent.take(database))
                .hasSize(2 * EACH - 1)
                .extracting(Sent::key)
                .doesNotContain("0");
        assertThat(database.count(strategy.table + " where id = 0")).isOne();
    }

    @ParameterizedTest
    @EnumSource
    void syncsWhatOthersCommitMeanwhile(Strategy strategy) throws Exception {
        whileOneHasWritten(strategy, () -> {
            SyncProgress unused = master.sync(strategy.root).pageSize(1000).send();
        });
        assertSentOfTheRow(one -> {
            assertThat(one.updated()).isEqualTo(LATER);
            assertThat(one.field("own")).isEqualTo("9");
        });
    }

    /** Checks the one message of the row that the other had written. */
    private void assertSentOfTheRow(Consumer<Sent> requirements) {
        assertThat(Sent.take(database))
                .filteredOn(one -> one.key().equals("0"))
                .singleElement()
                .satisfies(requirements);
    }

    /** Another's transaction, whose clock is ahead, has written a row, and is committed once one waits for it. */
    private void whileOneHasWritten(Strategy strategy, Work work) throws Exception {
        ExecutorService threads = Executors.newSingleThreadExecutor();
        try (Connection other = database.dataSource().getConnection();
                Statement statement = other.createStatement()) {
            other.setAutoCommit(false);
            statement.executeUpdate("update " + strategy.ownTable + " set own = 9 where id = 0");
            statement.executeUpdate("update " + strategy.table + " set size = 8, cqrs_revision = cqrs_revision + 1,"
                    + " cqrs_updated = '" + LATER + "' where id = 0");
            Future<?> working = threads.submit(() -> {
                work.run();
                return null;
            });
            await().until(() ->
                    database.count("pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
                            > 0);
            other.commit();
            Object unused = working.get();
        } finally {
            threads.shutdownNow();
        }
    }

    /** What waits for the other. */
    private interface Work {
        void run() throws Exception;
    }

    enum Strategy {
        ONE_TABLE(Animal.class, "animal", "animal", Dog::new, Cat::new),
        JOINED(Vehicle.class, "vehicle", "car", Car::new, Truck::new),
        TABLE_PER_CLASS(Shape.class, "circle", "circle", Circle::new, Square::new),
        SECONDARY_TABLE(Room.class, "room", "room_more", Room::new, Room::new);

        private final Class<? extends Sized> root;
        private final String table;
        private final String ownTable;
        private final Supplier<Sized> even;
        private final Supplier<Sized> odd;

        Strategy(
                Class<? extends Sized> root, String table, String ownTable, Supplier<Sized> even, Supplier<Sized> odd) {
            this.root = root;
            this.table = table;
            this.ownTable = ownTable;
            this.even = even;
            this.odd = odd;
        }

        /** Returns how many rows are of the root's model: cats are a master of their own. */
        int own() {
            return this == ONE_TABLE ? EACH : 2 * EACH;
        }

        List<Sized> instances() {
            return LongStream.range(0, 2L * EACH).mapToObj(this::instance).toList();
        }

        private Sized instance(long id) {
            Sized instance = (id % 2 == 0 ? even : odd).get();
            instance.id = id;
            return instance;
        }
    }

    @jakarta.persistence.MappedSuperclass
    abstract static class Sized extends MasterEntity {
        @Id
        Long id;

        int size;
    }

    @Entity(name = "Animal")
    @DiscriminatorColumn(name = "kind")
    @Master("animal")
    abstract static class Animal extends Sized {}

    @Entity(name = "Dog")
    static class Dog extends Animal {
        Integer own = 1;
    }

    @Entity(name = "Cat")
    @Master("cat")
    static class Cat extends Animal {
        @jakarta.persistence.Column(name = "own")
        Integer own = 2;
    }

    @Entity(name = "Vehicle")
    @Inheritance(strategy = InheritanceType.JOINED)
    @Master("vehicle")
    abstract static class Vehicle extends Sized {}

    @Entity(name = "Car")
    static class Car extends Vehicle {
        int own = 1;
    }

    @Entity(name = "Truck")
    static class Truck extends Vehicle {
        int own = 2;
    }

    @Entity(name = "Room")
    @SecondaryTable(name = "room_more")
    @Master("room")
    static class Room extends Sized {
        @jakarta.persistence.Column(table = "room_more")
        int own = 1;
    }

    @Entity(name = "Shape")
    @Inheritance(strategy = InheritanceType.TABLE_PER_CLASS)
    @Master("shape")
    abstract static class Shape extends Sized {}

    @Entity(name = "Circle")
    static class Circle extends Shape {
        int own = 1;
    }

    @Entity(name = "Square")
    static class Square extends Shape {
        int own = 2;
    }
}
