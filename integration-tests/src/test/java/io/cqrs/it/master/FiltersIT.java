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
import io.cqrs.master.MasterSerializer;
import io.cqrs.master.Restriction;
import io.cqrs.master.SyncRequest;
import io.cqrs.transport.memory.InMemoryTransport;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.ManyToOne;
import java.util.List;
import java.util.Map;
import org.hibernate.Session;
import org.hibernate.annotations.Filter;
import org.hibernate.annotations.FilterDef;
import org.hibernate.annotations.ParamDef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Hibernate's filters: they bound what is written through a session, and hide nothing of what is sent. */
@ExtendWith(TestEnvironment.class)
@Timeout(120)
class FiltersIT {

    private TestDatabase database;
    private MasterUnit unit;
    private CqrsMaster master;

    @BeforeEach
    void start() {
        database = TestEnvironment.database("filters");
        CqrsSchema.standard().migrate(database.dataSource());
        unit = MasterUnit.on(database, Document.class, Folder.class, Note.class);
        master = CqrsMaster.builder(unit.sessions())
                .transport(new InMemoryTransport())
                .build();
        unit.commit(session -> {
            for (long id = 1; id <= 6; id++) {
                session.persist(new Document(id, id % 3));
            }
            Folder folder = new Folder();
            session.persist(folder);
            session.persist(new Note(1, folder, false));
            session.persist(new Note(2, folder, true));
        });
        Sent.take(database);
    }

    @AfterEach
    void stop() {
        master.close();
        unit.close();
    }

    @Test
    void boundManyWritesAsTheyBoundAStatementOfTheSession() {
        unit.commit(session -> {
            tenant(session, 1L);
            assertThat(master.bulkUpdate(
                            session,
                            Document.class,
                            Restriction.all(),
                            (update, row, cb) -> update.set(row.<String>get("title"), "x")))
                    .isEqualTo(2);
        });
        assertThat(Sent.take(database)).extracting(Sent::key).containsExactlyInAnyOrder("1", "4");
        unit.commit(session -> {
            tenant(session, 1L, 2L);
            assertThat(master.bulkDelete(session, Document.class, Restriction.all()))
                    .isEqualTo(4);
        });
        assertThat(Sent.take(database)).extracting(Sent::key).containsExactlyInAnyOrder("1", "2", "4", "5");
        assertThat(database.rows("select id from document order by id")).containsExactly("3", "6");
    }

    @Test
    void decideOnceWhichRowsABulkWriteMeans() {
        database.execute("create sequence asked;"
                + " create function now_and_then(bigint) returns boolean language sql volatile"
                + " as $$ select nextval('asked') <= 12 and $1 > 0 $$");
        unit.commit(session -> {
            org.hibernate.Filter unused = session.enableFilter("erratic");
            assertThat(master.bulkDelete(session, Document.class, Restriction.all()))
                    .as("six rows, asked when they are found and when they are locked")
                    .isEqualTo(6);
        });
        assertThat(Sent.take(database)).hasSize(6);
        assertThat(database.count("document")).isZero();
    }

    @Test
    void needNoArgumentsWhereTheyHideNothing() throws Exception {
        try (MasterUnit shops = MasterUnit.on(database, Shop.class)) {
            try (Session session = shops.sessions().openSession()) {
                session.getEnabledFilter("region").setParameter("region", "here");
                session.beginTransaction();
                session.persist(new Shop());
                session.getTransaction().commit();
            }
            Sent.take(database);
            assertThat(SyncRequest.of(shops.sessions(), Shop.class).send().sent())
                    .isOne();
        }
    }

    private static void tenant(Session session, Long... tenants) {
        session.enableFilter("tenant").setParameterList("tenants", List.of(tenants));
    }

    @Test
    void hideNoRowFromASync() throws Exception {
        assertThat(master.sync(Note.class).send().sent()).isEqualTo(2);
    }

    @Test
    void hideNoRowFromItsSerializerAndNoOwnerFromWhatItDependsOn() {
        unit.commit(session -> session.find(Folder.class, 1L).name = "renamed");
        assertThat(Sent.take(database))
                .extracting(one -> one.key() + one.field("folder"))
                .containsExactlyInAnyOrder("1\"renamed\"", "2\"renamed\"");
        unit.commit(session -> session.find(Note.class, 1L).gone = true);
        assertThat(Sent.takeOnly(database).field("gone")).isEqualTo("true");
    }

    @Entity(name = "Document")
    @Master("document")
    @FilterDef(name = "tenant", parameters = @ParamDef(name = "tenants", type = Long.class))
    @FilterDef(name = "erratic")
    @Filter(name = "tenant", condition = "tenant in (:tenants)")
    @Filter(name = "erratic", condition = "now_and_then(id)")
    static class Document extends MasterEntity {
        @Id
        Long id;

        long tenant;
        String title;

        protected Document() {}

        Document(long id, long tenant) {
            this.id = id;
            this.tenant = tenant;
        }
    }

    @Entity(name = "Shop")
    @Master("shop")
    @FilterDef(name = "region", autoEnabled = true, parameters = @ParamDef(name = "region", type = String.class))
    @Filter(name = "region", condition = "region = :region")
    static class Shop extends MasterEntity {
        @Id
        Long id = 1L;

        String region = "there";
    }

    @Entity(name = "Folder")
    static class Folder {
        @Id
        Long id = 1L;

        String name = "folder";
    }

    @Entity(name = "Note")
    @Master(value = "note", serializer = NoteSerializer.class, dependsOn = "folder")
    @FilterDef(name = "alive", autoEnabled = true)
    @Filter(name = "alive", condition = "not gone")
    static class Note extends MasterEntity {
        @Id
        Long id;

        boolean gone;

        @ManyToOne
        Folder folder;

        protected Note() {}

        Note(long id, Folder folder, boolean gone) {
            this.id = id;
            this.folder = folder;
            this.gone = gone;
        }
    }

    static class NoteSerializer implements MasterSerializer<Note> {
        @Override
        public Object serialize(Note note) {
            return Map.of("id", note.id, "gone", note.gone, "folder", note.folder.name);
        }
    }
}
