package io.cqrs.it.master;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.Sent;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.CqrsMaster;
import io.cqrs.master.Master;
import io.cqrs.master.MasterEntity;
import io.cqrs.master.MasterSerializer;
import io.cqrs.master.Restriction;
import io.cqrs.master.WhenExcluded;
import io.cqrs.transport.memory.InMemoryTransport;
import jakarta.persistence.Entity;
import jakarta.persistence.FetchType;
import jakarta.persistence.Id;
import jakarta.persistence.ManyToOne;
import jakarta.persistence.OptimisticLockException;
import java.util.Map;
import org.hibernate.Hibernate;
import org.hibernate.Session;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Rows that refer lazily to others of their kind, which a query then returns as proxies, and that answer by what they refer to. */
@ExtendWith(TestEnvironment.class)
@Timeout(120)
class TreeIT {

    private static TestDatabase database;
    private static MasterUnit unit;
    private static CqrsMaster master;

    @BeforeAll
    static void start() {
        database = TestEnvironment.database("tree");
        CqrsSchema.standard().migrate(database.dataSource());
        unit = MasterUnit.on(database, Team.class, Employee.class, Post.class, Badge.class, Desk.class);
        master = CqrsMaster.builder(unit.sessions())
                .transport(new InMemoryTransport())
                .build();
    }

    @BeforeEach
    void fill() {
        database.empty();
        // The one that refers first, so that queries come to it first.
        database.execute("""
                insert into team (id, name, active) values (1, 'team', true);
                insert into employee (id, name, salary, team_id, manager_id, cqrs_revision, cqrs_updated)
                    values (1, 'clerk', 0, 1, 5, 0, now()), (5, 'boss', 0, 1, null, 0, now());
                insert into post (id, title, answers_id, cqrs_revision, cqrs_updated)
                    values (1, 'answer', 5, 0, now()), (5, 'first', null, 0, now())""");
    }

    @AfterAll
    static void stop() {
        master.close();
        unit.close();
    }

    @Test
    void syncsRowsThatEarlierOnesReferTo() throws Exception {
        assertThat(master.sync(Employee.class).send().sent()).isEqualTo(2);
        assertNames();
    }

    @Test
    void serializesRowsThatEarlierOnesReferTo() throws Exception {
        assertThat(master.sync(Post.class).send().sent()).isEqualTo(2);
        assertThat(Sent.take(database))
                .extracting(one -> one.key() + one.field("title"))
                .containsExactly("1\"answer\"", "5\"first\"");
        unit.commit(session -> {
            Post first = session.find(Post.class, 5L);
            session.find(Post.class, 1L).title = "answer, again";
            first.title = "first, again";
        });
        assertThat(Sent.take(database))
                .extracting(one -> one.key() + one.field("title"))
                .containsExactlyInAnyOrder("1\"answer, again\"", "5\"first, again\"");
    }

    @Test
    void writesManyRowsThatEarlierOnesReferTo() {
        unit.commit(session -> assertThat(master.bulkUpdate(
                        session,
                        Employee.class,
                        Restriction.all(),
                        (update, row, cb) -> update.set(row.<Integer>get("salary"), 7)))
                .isEqualTo(2));
        assertNames();
        unit.commit(session -> assertThat(
                        master.bulkDelete(session, Employee.class, (row, cb) -> cb.equal(row.get("salary"), 7)))
                .isEqualTo(2));
        assertThat(Sent.take(database)).extracting(Sent::signal).containsExactly("DELETE", "DELETE");
    }

    @Test
    void sendsOwnersThatEarlierOnesReferTo() {
        unit.commit(session -> session.find(Team.class, 1L).name = "other");
        assertNames();
    }

    @Test
    void asksWhatAnOwnerRefersToWhetherItIsSentAndDeletesIt() {
        unit.commit(session -> session.find(Team.class, 1L).active = false);
        assertThat(Sent.take(database))
                .extracting(one -> one.signal() + " " + one.key())
                .containsExactlyInAnyOrder("DELETE 1", "DELETE 5");
        unit.commit(session -> session.find(Team.class, 1L).active = true);
        assertNames();
    }

    @Test
    void sendsOwnersOfSeveralKindsAsTheyAreByThen() {
        unit.commit(session -> {
            Badge badge = new Badge();
            badge.team = session.getReference(Team.class, 1L);
            session.persist(badge);
            Desk desk = new Desk();
            desk.employee = session.getReference(Employee.class, 1L);
            session.persist(desk);
        });
        Sent.take(database);
        unit.commit(session -> session.find(Team.class, 1L).name = "other");
        assertThat(Sent.take(database))
                .extracting(one -> one.message().get("cqrs_id").asText() + " " + one.key() + " " + one.revision())
                .containsExactlyInAnyOrder("employee 1 1", "employee 5 1", "badge 1 1", "desk 1 1");
        unit.commit(session -> session.find(Team.class, 1L).active = false);
        assertThat(Sent.take(database))
                .extracting(one -> one.message().get("cqrs_id").asText() + " " + one.key() + " " + one.signal())
                .containsExactlyInAnyOrder("employee 1 DELETE", "employee 5 DELETE", "badge 1 SAVE", "desk 1 SAVE");
    }

    @Test
    void deletesAnOwnerThatWasWrittenTooOrRemovedWithWhatItDependsOn() {
        unit.commit(session -> {
            session.find(Team.class, 1L).active = false;
            session.find(Employee.class, 5L).name = "boss, out";
            session.remove(session.find(Employee.class, 1L));
        });
        assertThat(Sent.take(database))
                .extracting(one -> one.signal() + " " + one.key())
                .containsExactlyInAnyOrder("DELETE 1", "DELETE 5");
    }

    @Test
    void deletesAnOwnerThatTurnedFromWhatChangedToWhatKeepsItBack() {
        database.execute("insert into team (id, name, active) values (2, 'closed', false)");
        unit.commit(session -> {
            session.find(Team.class, 1L).active = false;
            session.find(Employee.class, 1L).team = session.getReference(Team.class, 2L);
        });
        assertThat(Sent.take(database))
                .extracting(one -> one.signal() + " " + one.key())
                .containsExactlyInAnyOrder("DELETE 1", "DELETE 5");
    }

    @Test
    void deletesWhatABulkUpdateExcludesAskingWhatItReferredTo() {
        unit.commit(session -> assertThat(master.bulkUpdate(
                        session,
                        Employee.class,
                        Restriction.all(),
                        (update, row, cb) -> update.set(row.<Integer>get("salary"), -1)))
                .isEqualTo(2));
        assertThat(Sent.take(database))
                .extracting(one -> one.signal() + " " + one.key())
                .containsExactlyInAnyOrder("DELETE 1", "DELETE 5");
    }

    @Test
    void letsNoStaleInstanceOfAnOwnerWriteOverWhatOthersCommitted() {
        try (Session session = unit.sessions().openSession()) {
            session.beginTransaction();
            Employee stale = session.find(Employee.class, 1L);
            unit.commit(other -> other.find(Employee.class, 1L).salary = 100);
            Hibernate.unproxy(stale.team, Team.class).name = "other";
            session.getTransaction().commit();
            session.beginTransaction();
            stale.name = "clerk, promoted";
            assertThatThrownBy(() -> session.getTransaction().commit()).isInstanceOf(OptimisticLockException.class);
        }
        assertThat(database.rows("select name, salary from employee where id = 1"))
                .containsExactly("clerk|100");
    }

    private void assertNames() {
        assertThat(Sent.take(database))
                .extracting(one -> one.key() + one.field("name"))
                .containsExactlyInAnyOrder("1\"clerk\"", "5\"boss\"");
    }

    @Entity(name = "Team")
    static class Team {
        @Id
        Long id;

        String name;
        boolean active;
    }

    @Entity(name = "Employee")
    @Master(value = "employee", dependsOn = "team", whenExcluded = WhenExcluded.DELETE)
    static class Employee extends MasterEntity {
        @Id
        Long id;

        String name;
        int salary;

        @ManyToOne(fetch = FetchType.LAZY)
        Team team;

        @ManyToOne(fetch = FetchType.LAZY)
        Employee manager;

        @Override
        public boolean isSyncInstance() {
            return Hibernate.unproxy(team, Team.class).active && salary >= 0;
        }
    }

    @Entity(name = "Badge")
    @Master(value = "badge", dependsOn = "team")
    static class Badge extends MasterEntity {
        @Id
        Long id = 1L;

        @ManyToOne
        Team team;
    }

    @Entity(name = "Desk")
    @Master(value = "desk", dependsOn = "employee.team")
    static class Desk extends MasterEntity {
        @Id
        Long id = 1L;

        @ManyToOne
        Employee employee;

        @Override
        public boolean isSyncInstance() {
            return Hibernate.unproxy(employee, Employee.class).id > 0;
        }
    }

    @Entity(name = "Post")
    @Master(value = "post", serializer = PostSerializer.class)
    static class Post extends MasterEntity {
        @Id
        Long id;

        String title;

        @ManyToOne(fetch = FetchType.LAZY)
        Post answers;
    }

    static class PostSerializer implements MasterSerializer<Post> {
        @Override
        public Object serialize(Post post) {
            return Map.of("id", post.id, "title", post.title);
        }
    }
}
