package io.cqrs.it.master;

import static org.assertj.core.api.Assertions.assertThat;

import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.Sent;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.CqrsMaster;
import io.cqrs.master.Master;
import io.cqrs.master.MasterEntity;
import io.cqrs.transport.memory.InMemoryTransport;
import jakarta.persistence.DiscriminatorColumn;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Inheritance;
import jakarta.persistence.InheritanceType;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Bulk writes and syncs, which lock what they read, of hierarchies in one table, in joined tables and in several. */
@ExtendWith(TestEnvironment.class)
class HierarchyIT {

    private static final int EACH = 20;

    private TestDatabase database;
    private MasterUnit unit;
    private CqrsMaster master;

    @BeforeEach
    void start() {
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
                Square.class);
        master = CqrsMaster.builder(unit.sessions())
                .transport(new InMemoryTransport())
                .build();
        for (Strategy strategy : Strategy.values()) {
            unit.commit(session -> master.bulkInsert(session, strategy.instances()));
        }
        assertThat(Sent.take(database)).hasSize(3 * 2 * EACH);
    }

    @AfterEach
    void stop() {
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
        assertThat(master.sync(strategy.root).pageSize(1000).send().sent()).isEqualTo(2 * EACH);
        assertThat(Sent.take(database))
                .hasSize(2 * EACH)
                .allSatisfy(one -> assertThat(one.field("own")).isIn("1", "2"))
                .extracting(Sent::signal)
                .containsOnly("SYNC");
    }

    enum Strategy {
        ONE_TABLE(Animal.class, Dog::new, Cat::new),
        JOINED(Vehicle.class, Car::new, Truck::new),
        TABLE_PER_CLASS(Shape.class, Circle::new, Square::new);

        private final Class<? extends Sized> root;
        private final Supplier<Sized> even;
        private final Supplier<Sized> odd;

        Strategy(Class<? extends Sized> root, Supplier<Sized> even, Supplier<Sized> odd) {
            this.root = root;
            this.even = even;
            this.odd = odd;
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
