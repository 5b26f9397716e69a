package io.cqrs.it.master;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.Sent;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.CqrsMaster;
import io.cqrs.master.Master;
import io.cqrs.master.MasterEntity;
import io.cqrs.master.Restriction;
import io.cqrs.master.SyncRequest;
import io.cqrs.master.hibernate.CqrsUpdated;
import io.cqrs.transport.FieldFilters;
import io.cqrs.transport.memory.InMemoryTransport;
import jakarta.persistence.Column;
import jakarta.persistence.DiscriminatorColumn;
import jakarta.persistence.DiscriminatorValue;
import jakarta.persistence.Embeddable;
import jakarta.persistence.EmbeddedId;
import jakarta.persistence.Entity;
import jakarta.persistence.FetchType;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import jakarta.persistence.IdClass;
import jakarta.persistence.Inheritance;
import jakarta.persistence.InheritanceType;
import jakarta.persistence.ManyToOne;
import jakarta.persistence.MappedSuperclass;
import jakarta.persistence.Version;
import java.io.Serializable;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.hibernate.Hibernate;
import org.hibernate.annotations.JdbcTypeCode;
import org.hibernate.type.SqlTypes;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Ids of every kind, and hierarchies of every strategy. */
@ExtendWith(TestEnvironment.class)
class KeysIT {

    private static TestDatabase database;
    private static MasterUnit master;

    @BeforeAll
    static void start() {
        database = TestEnvironment.database("keys");
        CqrsSchema.standard().migrate(database.dataSource());
        master = MasterUnit.on(
                database,
                Seat.class,
                Stay.class,
                Booking.class,
                Ticket.class,
                Row.class,
                Generated.class,
                Token.class,
                ShortVersion.class,
                IntVersion.class,
                Animal.class,
                Dog.class,
                Cat.class,
                Vehicle.class,
                Car.class,
                Shape.class,
                Circle.class,
                Base.class,
                Special.class);
    }

    @AfterAll
    static void stop() {
        master.close();
    }

    @BeforeEach
    void empty() {
        database.execute("delete from cqrs.outbox");
    }

    @Test
    void sendsAnEmbeddedIdAsItsPartsInDeclaredOrder() {
        SeatId id = new SeatId("B\"1", 7);
        master.commit(session -> session.persist(new Seat(id)));
        master.commit(session -> session.find(Seat.class, id).note = "window");
        master.commit(session -> session.remove(session.find(Seat.class, id)));
        assertThat(database.rows("select distinct instance_pk from cqrs.outbox"))
                .containsExactly("[\"B\\\"1\", 7]");
        List<Sent> sent = Sent.take(database);
        assertThat(sent).extracting(Sent::key).containsOnly("[\"B\\\"1\",7]");
        assertThat(sent.get(0).field("seat_row")).isEqualTo("\"B\\\"1\"");
        assertThat(sent.get(0).field("number")).isEqualTo("7");
        assertThat(sent.get(1).revision()).isEqualTo(1);
        assertThat(sent.get(2).field("id")).isEqualTo("[\"B\\\"1\",7]");
    }

    @Test
    void sendsAnIdClassAndAReferenceWithinIt() {
        SeatId seat = new SeatId("C", 1);
        master.commit(session -> {
            session.persist(new Seat(seat));
            Booking booking = new Booking();
            booking.seat = session.getReference(Seat.class, seat);
            session.persist(booking);
            Stay stay = new Stay();
            stay.room = 12;
            stay.guest = "g";
            session.persist(stay);
        });
        master.commit(session -> session.find(Stay.class, new StayId(12, "g")).nights = 3);
        master.commit(session -> session.remove(session.find(Stay.class, new StayId(12, "g"))));
        List<Sent> sent = Sent.take(database);
        assertThat(sent)
                .extracting(Sent::key)
                .containsExactly("[\"C\",1]", "1", "[12,\"g\"]", "[12,\"g\"]", "[12,\"g\"]");
        assertThat(sent.get(1).field("seat")).isEqualTo("[\"C\",1]");
        assertThat(sent.get(2).field("guest")).isEqualTo("\"g\"");
        assertThat(sent.get(3).field("nights")).isEqualTo("3");
    }

    @Test
    void sendsADerivedIdAsTheKeysOfWhatItRefersTo() throws Exception {
        SeatId seat = new SeatId("D", 2);
        master.commit(session -> {
            session.persist(new Seat(seat));
            Ticket ticket = new Ticket();
            ticket.seat = session.getReference(Seat.class, seat);
            ticket.day = "mon";
            session.persist(ticket);
            session.flush();
            assertThat(ticket.seat.id).isEqualTo(seat);
        });
        assertThat(Sent.take(database).get(1).key()).isEqualTo("[\"D\",2,\"mon\"]");
        assertThat(SyncRequest.of(master.sessions(), Ticket.class).send().sent())
                .isOne();
        assertThat(Sent.takeOnly(database).key()).isEqualTo("[\"D\",2,\"mon\"]");
        assertThat(SyncRequest.of(master.sessions(), Ticket.class)
                        .after(new TicketId(seat, "fri"))
                        .send()
                        .lastKey())
                .isEqualTo("[\"D\",2,\"mon\"]");
        assertThat(Sent.takeOnly(database).key()).isEqualTo("[\"D\",2,\"mon\"]");
        assertThat(SyncRequest.of(master.sessions(), Ticket.class)
                        .after(new TicketId(seat, "mon"))
                        .send()
                        .sent())
                .isZero();
        try (CqrsMaster bulk = CqrsMaster.builder(master.sessions())
                .transport(new InMemoryTransport())
                .build()) {
            master.commit(session -> assertThat(bulk.bulkDelete(session, Ticket.class, Restriction.all()))
                    .isOne());
        }
        assertThat(Sent.takeOnly(database).key()).isEqualTo("[\"D\",2,\"mon\"]");
    }

    @Test
    void locksRowsInTheOrderOfTheirKeysWhateverThoseReferTo() throws Exception {
        master.commit(session -> {
            for (SeatId id : List.of(new SeatId("A", 2), new SeatId("B", 1))) {
                session.persist(new Seat(id));
                Ticket ticket = new Ticket();
                ticket.seat = session.getReference(Seat.class, id);
                ticket.day = "order " + id.row();
                session.persist(ticket);
            }
        });
        try (CqrsMaster bulk = CqrsMaster.builder(master.sessions())
                        .transport(new InMemoryTransport())
                        .build();
                Connection other = database.dataSource().getConnection();
                Statement statement = other.createStatement()) {
            other.setAutoCommit(false);
            statement.execute("select from ticket where day = 'order B' for update");
            Thread writer = new Thread(() -> master.commit(session -> {
                long unused =
                        bulk.bulkDelete(session, Ticket.class, (ticket, cb) -> cb.like(ticket.get("day"), "order %"));
            }));
            writer.start();
            await().until(() -> database.waiting() > 0);
            assertThat(database.rows("select day from ticket where day like 'order %' for update skip locked"))
                    .as("the first one is locked by who waits for the second")
                    .isEmpty();
            other.rollback();
            other.setAutoCommit(true);
            writer.join();
        }
        assertThat(database.count("ticket where day like 'order %'")).isZero();
        Sent.take(database);
    }

    @Test
    void pagesByAKeyWithinAKey() throws Exception {
        master.commit(session -> {
            for (int number = 1; number <= 3; number++) {
                session.persist(new Row(new RowKey(new SeatId("E", number), number % 2)));
            }
        });
        Sent.take(database);
        assertThat(SyncRequest.of(master.sessions(), Row.class)
                        .after(new RowKey(new SeatId("E", 1), 1))
                        .send()
                        .sent())
                .isEqualTo(2);
        assertThat(Sent.take(database)).extracting(Sent::key).containsExactly("[\"E\",2,0]", "[\"E\",3,1]");
    }

    @Test
    void filtersByTheFieldsOfAnEmbeddedId() throws Exception {
        master.commit(session -> session.persist(new Seat(new SeatId("F", 1))));
        master.commit(session -> session.persist(new Seat(new SeatId("G", 2))));
        Sent.take(database);
        assertThat(SyncRequest.of(master.sessions(), Seat.class)
                        .where(FieldFilters.parse("{\"number\": 2}"))
                        .send()
                        .sent())
                .isOne();
        assertThat(Sent.takeOnly(database).key()).isEqualTo("[\"G\",2]");
        for (String filter : List.of("{\"seat_row\": \"G\"}", "{\"id.row\": \"G\"}")) {
            assertThat(SyncRequest.of(master.sessions(), Seat.class)
                            .where(FieldFilters.parse(filter))
                            .send()
                            .sent())
                    .isOne();
            assertThat(Sent.takeOnly(database).key()).isEqualTo("[\"G\",2]");
        }
        assertThatThrownBy(() -> SyncRequest.of(master.sessions(), Seat.class)
                        .where(FieldFilters.parse("{\"rowe\": 1}"))
                        .send())
                .hasMessageContaining(
                        "seat has no field rowe: there are [cqrs_revision, cqrs_updated, note, number, seat_row]");
    }

    @Test
    void filtersByTheStampWhateverItsAttributesAreCalled() throws Exception {
        master.commit(session -> {
            IntVersion row = new IntVersion();
            row.id = 9L;
            session.persist(row);
        });
        master.commit(session -> session.find(IntVersion.class, 9L).name = "changed");
        for (String filter : List.of(
                "{\"id\": 9, \"cqrs_revision\": 1, \"cqrs_updated__lt\": \"2999-01-01T00:00:00Z\"}",
                "{\"id\": 9, \"version\": 1, \"changed__gt\": \"2001-01-01T00:00:00Z\"}")) {
            assertThat(SyncRequest.of(master.sessions(), IntVersion.class)
                            .where(FieldFilters.parse(filter))
                            .send()
                            .sent())
                    .isOne();
        }
        assertThat(SyncRequest.of(master.sessions(), IntVersion.class)
                        .where(FieldFilters.parse("{\"id\": 9, \"cqrs_revision\": 0}"))
                        .send()
                        .sent())
                .isZero();
    }

    @Test
    @Timeout(60)
    void pagesByAUuidThatIsKeptAsBytes() throws Exception {
        master.commit(session -> {
            for (long number = 1; number <= 3; number++) {
                session.persist(new Token(new UUID(0, number)));
            }
        });
        List<String> keys = Sent.take(database).stream().map(Sent::key).toList();
        assertThat(keys.get(0)).isEqualTo("\"AAAAAAAAAAAAAAAAAAAAAQ==\"");
        try (CqrsMaster sync = CqrsMaster.builder(master.sessions())
                .transport(new InMemoryTransport())
                .build()) {
            assertThat(sync.sync(Token.class).afterKey(keys.get(0)).send().sent())
                    .isEqualTo(2);
        }
        assertThat(Sent.take(database)).extracting(Sent::key).isEqualTo(keys.subList(1, 3));
    }

    @Test
    void sendsGeneratedIds() {
        Generated one = new Generated();
        master.commit(session -> session.persist(one));
        Sent sent = Sent.takeOnly(database);
        assertThat(sent.key()).isEqualTo("\"" + one.id + "\"");
        assertThat(sent.field("id")).isEqualTo(sent.key());
    }

    @Test
    void countsWithTheEntitysOwnVersionOfAnyInteger() {
        master.commit(session -> {
            session.persist(new ShortVersion());
            session.persist(new IntVersion());
        });
        master.commit(session -> {
            session.find(ShortVersion.class, 1L).name = "b";
            session.find(IntVersion.class, 1L).name = "b";
        });
        assertThat(Sent.take(database)).extracting(Sent::revision).containsExactly(0L, 0L, 1L, 1L);
    }

    @Test
    void sendsAHierarchyInOneTableAsOneModelWithItsClass() {
        master.commit(session -> {
            session.persist(new Dog());
            session.persist(new Cat());
        });
        master.commit(session -> session.find(Animal.class, 1L).name = "Rex");
        List<Sent> sent = Sent.take(database);
        assertThat(sent)
                .extracting(one -> one.message().get("cqrs_id").asText())
                .containsExactly("animal", "cat", "animal");
        assertThat(sent.get(0).field("kind")).isEqualTo("\"dog\"");
        assertThat(sent.get(0).field("barks")).isEqualTo("true");
        assertThat(sent.get(2).field("name")).isEqualTo("\"Rex\"");
        assertThat(sent.get(2).revision()).isEqualTo(1);
        assertThat(database.rows("select kind, name, cqrs_revision from animal where id = 1"))
                .containsExactly("dog|Rex|1");
    }

    @Test
    void sendsAHierarchyOfJoinedTables() {
        master.commit(session -> session.persist(new Car()));
        master.commit(session -> ((Car) session.find(Vehicle.class, 1L)).doors = 5);
        master.commit(session -> session.remove(session.find(Vehicle.class, 1L)));
        List<Sent> sent = Sent.take(database);
        assertThat(sent).extracting(Sent::signal).containsExactly("SAVE", "SAVE", "DELETE");
        assertThat(sent.get(1).field("doors")).isEqualTo("5");
        assertThat(sent.get(1).field("wheels")).isEqualTo("4");
        assertThat(sent).extracting(Sent::revision).containsExactly(0L, 1L, 2L);
        assertThat(sent).extracting(Sent::updated).isSorted().doesNotHaveDuplicates();
    }

    @Test
    void sendsAHierarchyOfATablePerClass() {
        master.commit(session -> session.persist(new Circle()));
        master.commit(session -> ((Circle) session.find(Shape.class, 1L)).radius = 2);
        master.commit(session -> session.remove(session.find(Shape.class, 1L)));
        List<Sent> sent = Sent.take(database);
        assertThat(sent).extracting(Sent::signal).containsExactly("SAVE", "SAVE", "DELETE");
        assertThat(sent.get(1).field("radius")).isEqualTo("2");
        assertThat(sent.get(1).field("label")).isEqualTo("\"s\"");
    }

    @Test
    void sendsWhatAMappedSuperclassHolds() {
        master.commit(session -> session.persist(new Special()));
        assertThat(Sent.takeOnly(database).field("common")).isEqualTo("\"c\"");
    }

    @Test
    void refusesTheAnnotationAboveAnyEntity() {
        assertThatThrownBy(() -> MasterUnit.on(database, AboveAny.class).close())
                .hasStackTraceContaining(CqrsConfigurationException.class.getName())
                .hasStackTraceContaining("@Master of " + Above.class.getName() + " is on no entity");
    }

    @Test
    void keepsAReferenceToACompositeKeyLazy() {
        SeatId seat = new SeatId("E", 3);
        master.commit(session -> session.persist(new Seat(seat)));
        master.commit(session -> {
            Booking booking = new Booking();
            booking.id = 5L;
            booking.seat = session.getReference(Seat.class, seat);
            session.persist(booking);
            session.flush();
            assertThat(Hibernate.isInitialized(booking.seat)).isFalse();
        });
        assertThat(Sent.take(database).get(1).field("seat")).isEqualTo("[\"E\",3]");
    }

    @Embeddable
    record SeatId(@Column(name = "seat_row") String row, int number) implements Serializable {}

    @Entity(name = "Seat")
    @Master("seat")
    static class Seat extends MasterEntity {
        @EmbeddedId
        SeatId id;

        String note;

        protected Seat() {}

        Seat(SeatId id) {
            this.id = id;
        }
    }

    @Entity(name = "Booking")
    @Master("booking")
    static class Booking extends MasterEntity {
        @Id
        Long id = 1L;

        @ManyToOne(fetch = FetchType.LAZY)
        Seat seat;
    }

    static class StayId implements Serializable {
        private static final long serialVersionUID = 1L;
        int room;
        String guest;

        protected StayId() {}

        StayId(int room, String guest) {
            this.room = room;
            this.guest = guest;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof StayId id && id.room == room && id.guest.equals(guest);
        }

        @Override
        public int hashCode() {
            return room;
        }
    }

    @Entity(name = "Stay")
    @IdClass(StayId.class)
    @Master("stay")
    static class Stay extends MasterEntity {
        @Id
        int room;

        @Id
        String guest;

        int nights;
    }

    record TicketId(SeatId seat, String day) implements Serializable {}

    @Entity(name = "Ticket")
    @IdClass(TicketId.class)
    @Master("ticket")
    static class Ticket extends MasterEntity {
        @Id
        @ManyToOne
        Seat seat;

        @Id
        String day;
    }

    @Entity(name = "Generated")
    @Master("generated")
    static class Generated extends MasterEntity {
        @Id
        @GeneratedValue(strategy = GenerationType.UUID)
        UUID id;
    }

    @Entity(name = "ShortVersion")
    @Master("short_version")
    static class ShortVersion {
        @Id
        Long id = 1L;

        @Version
        short version;

        @CqrsUpdated
        Instant changed;

        String name;
    }

    @Entity(name = "IntVersion")
    @Master("int_version")
    static class IntVersion {
        @Id
        Long id = 1L;

        @Version
        Integer version;

        @CqrsUpdated
        Instant changed;

        String name;
    }

    @Entity(name = "Animal")
    @DiscriminatorColumn(name = "kind")
    @DiscriminatorValue("animal")
    @Master("animal")
    static class Animal extends MasterEntity {
        @Id
        Long id = 1L;

        String name;
    }

    @Entity(name = "Dog")
    @DiscriminatorValue("dog")
    static class Dog extends Animal {
        boolean barks = true;
    }

    @Entity(name = "Cat")
    @DiscriminatorValue("cat")
    @Master("cat")
    static class Cat extends Animal {
        Cat() {
            id = 2L;
        }
    }

    @Entity(name = "Vehicle")
    @Inheritance(strategy = InheritanceType.JOINED)
    @Master("vehicle")
    abstract static class Vehicle extends MasterEntity {
        @Id
        Long id = 1L;

        int wheels = 4;
    }

    @Entity(name = "Car")
    static class Car extends Vehicle {
        int doors = 3;
    }

    @Entity(name = "Shape")
    @Inheritance(strategy = InheritanceType.TABLE_PER_CLASS)
    @Master("shape")
    abstract static class Shape extends MasterEntity {
        @Id
        Long id = 1L;

        String label = "s";
    }

    @Entity(name = "Circle")
    static class Circle extends Shape {
        int radius = 1;
    }

    @MappedSuperclass
    abstract static class Base extends MasterEntity {
        String common = "c";
    }

    @Entity(name = "Special")
    @Master("special")
    static class Special extends Base {
        @Id
        Long id = 1L;
    }

    @MappedSuperclass
    @Master("above")
    abstract static class Above extends MasterEntity {}

    @Entity(name = "AboveAny")
    static class AboveAny extends Above {
        @Id
        Long id = 1L;
    }

    @Embeddable
    record RowKey(SeatId seat, int side) implements Serializable {}

    @Entity(name = "HallRow")
    @Master("hall_row")
    static class Row extends MasterEntity {
        @EmbeddedId
        RowKey id;

        protected Row() {}

        Row(RowKey id) {
            this.id = id;
        }
    }

    @Entity(name = "Token")
    @Master("token")
    static class Token extends MasterEntity {
        @Id
        @JdbcTypeCode(SqlTypes.BINARY)
        UUID id;

        protected Token() {}

        Token(UUID id) {
            this.id = id;
        }
    }
}
