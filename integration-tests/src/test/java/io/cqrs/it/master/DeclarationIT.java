package io.cqrs.it.master;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.Sent;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.CqrsField;
import io.cqrs.master.Master;
import io.cqrs.master.MasterEntity;
import jakarta.persistence.CascadeType;
import jakarta.persistence.Column;
import jakarta.persistence.ElementCollection;
import jakarta.persistence.Embeddable;
import jakarta.persistence.EmbeddedId;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.IdClass;
import jakarta.persistence.ManyToOne;
import jakarta.persistence.OneToMany;
import jakarta.persistence.Version;
import java.io.Serializable;
import java.time.OffsetDateTime;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.hibernate.annotations.ColumnTransformer;
import org.hibernate.annotations.SoftDelete;
import org.hibernate.annotations.TimeZoneStorage;
import org.hibernate.annotations.TimeZoneStorageType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What is declared about a master, and what is sent by it. */
@ExtendWith(TestEnvironment.class)
class DeclarationIT {

    private static TestDatabase database;
    private static MasterUnit master;

    @BeforeAll
    static void start() {
        database = TestEnvironment.database("declaration");
        CqrsSchema.standard().migrate(database.dataSource());
        master = MasterUnit.on(
                database, Narrow.class, Wide.class, Quiet.class, Parent.class, Child.class, Seat.class, Noted.class);
    }

    @BeforeEach
    void empty() {
        database.empty();
    }

    @AfterAll
    static void stop() {
        master.close();
    }

    @Test
    void sendsTheListedFieldsAndNoOthers() {
        master.commit(session -> session.persist(new Narrow()));
        Sent created = Sent.takeOnly(database);
        assertThat(created.data().fieldNames())
                .toIterable()
                .containsExactlyInAnyOrder("id", "name", "cqrs_revision", "cqrs_updated");
        master.commit(session -> session.find(Narrow.class, 1L).secret = "changed");
        assertThat(Sent.takeOnly(database).data().toString()).doesNotContain("secret", "changed");
    }

    @Test
    void sendsTheListedFieldsOfAKeyOfAClassOfItsOwn() {
        master.commit(session -> session.persist(new Seat(1, 2)));
        Sent sent = Sent.takeOnly(database);
        assertThat(sent.key()).isEqualTo("[1,2]");
        assertThat(sent.data().has("guest")).isFalse();
    }

    @Test
    void tracksAllFieldsButTheIdWhereAllAreMeant() {
        master.commit(session -> session.persist(new Wide()));
        assertThat(Sent.takeOnly(database).previous()).isEqualTo("{\"amount\":null,\"name\":null}");
        master.commit(session -> session.find(Wide.class, 1L).amount = 7);
        assertThat(Sent.takeOnly(database).previous()).isEqualTo("{\"amount\":1}");
    }

    @Test
    void tracksAllOfAnEntityThatHasAnEmbeddableWithNothingToSend() {
        Noted noted = new Noted();
        noted.name = "a";
        master.commit(session -> session.persist(noted));
        master.commit(session -> session.find(Noted.class, 1L).name = "b");
        assertThat(Sent.take(database).get(1).previous()).isEqualTo("{\"name\":\"a\"}");
    }

    @Test
    void countsTheRevisionsOfWhatIsNotSent() {
        master.commit(session -> session.persist(new Quiet()));
        master.commit(session -> session.find(Quiet.class, 1L).name = "b");
        assertThat(Sent.all(database)).isEmpty();
        assertThat(database.rows("select cqrs_revision from quiet")).containsExactly("1");
        assertThat(database.count("quiet where cqrs_updated is not null")).isOne();
    }

    @Test
    void sendsAMergedInstanceByItsChanges() {
        master.commit(session -> session.persist(new Wide()));
        Wide detached = master.sessions().fromTransaction(session -> session.find(Wide.class, 1L));
        Sent.take(database);
        detached.name = "merged";
        master.commit(session -> session.merge(detached));
        Sent merged = Sent.takeOnly(database);
        assertThat(merged.field("name")).isEqualTo("\"merged\"");
        assertThat(merged.previous()).isEqualTo("{\"name\":\"a\"}");
        assertThat(merged.revision()).isOne();
        assertThatThrownBy(() -> master.commit(session -> session.merge(detached)))
                .as("it is older by now")
                .isInstanceOf(RuntimeException.class);
        assertThat(Sent.all(database)).isEmpty();
    }

    @Test
    void sendsWhatCascadesAndWhatIsOrphaned() {
        master.commit(session -> session.persist(new Parent(1, 3)));
        assertThat(Sent.take(database))
                .extracting(one -> one.signal() + " " + one.key())
                .containsExactlyInAnyOrder("SAVE 1", "SAVE 10", "SAVE 11", "SAVE 12");
        master.commit(session -> session.find(Parent.class, 1L).children.removeIf(child -> child.id == 11L));
        assertThat(Sent.take(database))
                .extracting(one -> one.signal() + " " + one.key())
                .contains("DELETE 11")
                .doesNotContain("DELETE 10", "DELETE 12");
        master.commit(session -> session.remove(session.find(Parent.class, 1L)));
        assertThat(Sent.take(database))
                .extracting(one -> one.signal() + " " + one.key())
                .containsExactlyInAnyOrder("DELETE 1", "DELETE 10", "DELETE 12");
    }

    @Test
    void refusesWrongDeclarationsNamingClassAttributeAndFix() {
        Map<Class<?>, String> wrong = new LinkedHashMap<>();
        wrong.put(
                NoTime.class, "NoTime has no Instant with @CqrsUpdated, which orders its changes: extend MasterEntity");
        wrong.put(Misspelt.class, "Misspelt.nmae is listed in tracked but does not exist");
        wrong.put(TwiceTracked.class, "TwiceTracked.name is listed twice in tracked: list it once");
        wrong.put(
                TrackedCollection.class,
                "TrackedCollection.tags is a collection, or an embeddable of such, whose old values are not known");
        wrong.put(OneName.class, "is \"name\" on the wire, as another one is: give it a name by @CqrsField");
        wrong.put(Cipher.class, "Cipher.secret is written by an expression of its own");
        wrong.put(Negative.class, "Negative has expirySeconds -1: it is 0 or more");
        wrong.put(Softly.class, "Softly has @SoftDelete, under which an update of a stale instance brings");
        wrong.put(ItsOwnId.class, "ItsOwnId has several @Id, [aisle, shelf], without an @IdClass");
        wrong.put(Bytes.class, "Bytes.id is an array, of which Java can't tell that two are equal");
        wrong.put(Zoned.class, "Zoned.at is not written by Hibernate, so that what it holds may not be the row's");
        wrong.put(Reading.class, "Reading.id is not written by Hibernate, so that what it holds may not be the row's");
        wrong.put(Hollow.class, "Hollow.notes has nothing to send: take it out of fields");
        wrong.forEach((type, message) -> assertThatThrownBy(
                        () -> MasterUnit.on(database, type).close())
                .as(type.getSimpleName())
                .hasStackTraceContaining(CqrsConfigurationException.class.getName())
                .hasStackTraceContaining(message));
    }

    @Entity(name = "Narrow")
    @Master(
            value = "narrow",
            fields = {"id", "name"})
    static class Narrow extends MasterEntity {
        @Id
        Long id = 1L;

        String name = "a";
        String secret = "hidden";
    }

    @Entity(name = "Wide")
    @Master(value = "wide", fields = Master.ALL, tracked = Master.ALL)
    static class Wide extends MasterEntity {
        @Id
        Long id = 1L;

        String name = "a";
        Integer amount = 1;
    }

    @Entity(name = "Quiet")
    @Master(value = "quiet", produce = false)
    static class Quiet extends MasterEntity {
        @Id
        Long id = 1L;

        String name = "a";
    }

    @Entity(name = "Parent")
    @Master("parent")
    static class Parent extends MasterEntity {
        @Id
        Long id;

        @OneToMany(mappedBy = "parent", cascade = CascadeType.ALL, orphanRemoval = true)
        Set<Child> children = new HashSet<>();

        protected Parent() {}

        Parent(long id, int count) {
            this.id = id;
            for (int i = 0; i < count; i++) {
                children.add(new Child(id * 10 + i, this));
            }
        }
    }

    @Entity(name = "Child")
    @Master("child")
    static class Child extends MasterEntity {
        @Id
        Long id;

        @ManyToOne
        Parent parent;

        protected Child() {}

        Child(long id, Parent parent) {
            this.id = id;
            this.parent = parent;
        }
    }

    @Entity(name = "NoTime")
    @Master("no_time")
    static class NoTime {
        @Id
        Long id;

        @Version
        @Column(name = "cqrs_revision")
        Long revision;
    }

    @Entity(name = "TwiceTracked")
    @Master(
            value = "twice_tracked",
            tracked = {"name", "name"})
    static class TwiceTracked extends MasterEntity {
        @Id
        Long id;

        String name;
    }

    @Entity(name = "TrackedCollection")
    @Master(value = "tracked_collection", tracked = "tags")
    static class TrackedCollection extends MasterEntity {
        @Id
        Long id;

        @CqrsField
        @ElementCollection
        Set<String> tags = new HashSet<>();
    }

    @Entity(name = "OneName")
    @Master("one_name")
    static class OneName extends MasterEntity {
        @Id
        Long id;

        String name;

        @CqrsField("name")
        String title;
    }

    record SeatId(int hall, int number) implements Serializable {}

    @Entity(name = "Seat")
    @IdClass(SeatId.class)
    @Master(
            value = "seat",
            fields = {"hall", "number"})
    static class Seat extends MasterEntity {
        @Id
        int hall;

        @Id
        int number;

        String guest = "nobody";

        protected Seat() {}

        Seat(int hall, int number) {
            this.hall = hall;
            this.number = number;
        }
    }

    @Entity(name = "Negative")
    @Master(value = "negative", expirySeconds = -1)
    static class Negative extends MasterEntity {
        @Id
        Long id;
    }

    @Entity(name = "Cipher")
    @Master("cipher")
    static class Cipher extends MasterEntity {
        @Id
        Long id;

        @ColumnTransformer(write = "md5(?)")
        String secret;
    }

    @Entity(name = "Softly")
    @SoftDelete
    @Master("softly")
    static class Softly extends MasterEntity {
        @Id
        Long id;
    }

    @Entity(name = "ItsOwnId")
    @Master("its_own_id")
    static class ItsOwnId extends MasterEntity implements Serializable {
        @Id
        Long aisle;

        @Id
        Long shelf;
    }

    @Entity(name = "Bytes")
    @Master("bytes")
    static class Bytes extends MasterEntity {
        @Id
        byte[] id;
    }

    @Entity(name = "Zoned")
    @Master("zoned")
    static class Zoned extends MasterEntity {
        @Id
        Long id;

        @TimeZoneStorage(TimeZoneStorageType.COLUMN)
        OffsetDateTime at;
    }

    @Embeddable
    record ReadingId(long sensor, Moment moment) {}

    @Embeddable
    record Moment(
            @TimeZoneStorage(TimeZoneStorageType.COLUMN) OffsetDateTime at) {}

    @Entity(name = "Reading")
    @Master("reading")
    static class Reading extends MasterEntity {
        @EmbeddedId
        ReadingId id;
    }

    @Embeddable
    static class Notes {
        @ElementCollection
        Set<String> notes = new HashSet<>();
    }

    @Entity(name = "Hollow")
    @Master(
            value = "hollow",
            fields = {"id", "notes"})
    static class Hollow extends MasterEntity {
        @Id
        Long id;

        Notes notes;
    }

    @Entity(name = "Noted")
    @Master(value = "noted", tracked = Master.ALL)
    static class Noted extends MasterEntity {
        @Id
        Long id = 1L;

        String name;
        Notes notes;
    }

    @Entity(name = "Misspelt")
    @Master(value = "misspelt", tracked = "nmae")
    static class Misspelt extends MasterEntity {
        @Id
        Long id;

        String name;
    }
}
