package io.cqrs.it.master;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.cqrs.core.jdbc.SqlStates;
import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.Item;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.OddConnection;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.hibernate.Session;
import org.hibernate.TransactionException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.PGConnection;

/** A transaction is committed with its messages, or neither is, whatever comes between the last change and the commit. */
@ExtendWith(TestEnvironment.class)
class CommitIT {

    private static TestDatabase database;
    private static MasterUnit master;

    @BeforeAll
    static void start() {
        database = TestEnvironment.database("commit");
        CqrsSchema.standard().migrate(database.dataSource());
        master = MasterUnit.on(database, Item.class);
        database.execute("alter table item add constraint one_name unique (name) deferrable initially deferred");
    }

    @AfterAll
    static void stop() {
        master.close();
    }

    @AfterEach
    void empty() {
        database.execute("truncate item, cqrs.outbox");
    }

    @Test
    void writesNothingWhereSomebodyRefusesTheCommitAtTheLastMoment() {
        try (Session session = master.sessions().openSession()) {
            session.beginTransaction();
            session.persist(new Item(1, "refused"));
            session.flush();
            MasterUnit.beforeCommit(session, () -> {
                throw new IllegalStateException("not this one");
            });
            assertThatThrownBy(() -> session.getTransaction().commit()).hasStackTraceContaining("not this one");
            assertCommitted();
            session.clear();
            session.beginTransaction();
            session.persist(new Item(2, "next"));
            session.getTransaction().commit();
        }
        assertCommitted("2");
    }

    @Test
    void isOneTransactionWithWhatOthersWriteAtTheLastMoment() {
        try (Session session = master.sessions().openSession()) {
            session.beginTransaction();
            session.persist(new Item(1, "first"));
            session.flush();
            MasterUnit.beforeCommit(
                    session,
                    () -> session.doWork(connection -> {
                        try (Statement statement = connection.createStatement()) {
                            boolean unused =
                                    statement.execute("insert into item (id, name, amount, cqrs_revision, cqrs_updated)"
                                            + " values (2, 'second', 0, 0, now())");
                        }
                    }));
            session.getTransaction().commit();
        }
        assertThat(database.rows("select distinct xmin::text from item")).hasSize(1);
        assertThat(database.rows("select id from item order by id")).containsExactly("1", "2");
        assertThat(database.rows("select instance_pk from cqrs.outbox")).containsExactly("1");
    }

    @Test
    void tellsAConstraintThatWasDeferredAsHibernateDoes() {
        Throwable error = catchThrowable(() -> master.commit(session -> {
            session.persist(new Item(1, "same"));
            session.persist(new Item(2, "same"));
        }));
        assertThat(error).hasStackTraceContaining(TransactionException.class.getName());
        assertThat(SqlStates.find(error).getSQLState()).isEqualTo("23505");
        assertCommitted();
    }

    @Test
    void sendsWhatSessionsWriteThatShareTheTransaction() {
        master.commit(session -> {
            session.persist(new Item(1, "parent"));
            session.flush();
            try (Session child = session.sessionWithOptions().connection().openSession()) {
                child.persist(new Item(2, "child"));
                child.flush();
            }
        });
        assertThat(database.rows("select instance_pk from cqrs.outbox order by id"))
                .containsExactly("1", "2");
    }

    @Test
    void takesTheMessagesAlongInTheRoundTripOfTheCommit() throws Exception {
        try (Connection pooled = database.dataSource().getConnection();
                Connection bare = UrlDataSource.of(database.url(), null, null).getConnection()) {
            commit(pooled, new Item(1, "one"));
            commit(bare, new Item(2, "two"));
            // The driver's own is in capitals.
            assertThat(lastStatement(pooled)).isEqualTo("commit");
            assertThat(lastStatement(bare)).isEqualTo("commit");
        }
        assertThat(database.rows("select instance_pk from cqrs.outbox order by id"))
                .containsExactly("1", "2");
    }

    @Test
    void goesNotPastWhoeverStandsBeforeTheDriversCommit() throws Exception {
        try (Connection connection = database.dataSource().getConnection()) {
            Connection refusing = OddConnection.of(connection, "commit", () -> {
                throw new SQLException("not here");
            });
            assertThatThrownBy(() -> commit(refusing, new Item(1, "one"))).hasStackTraceContaining("not here");
            connection.rollback();
            connection.setAutoCommit(true);
            assertCommitted();
        }
    }

    @Test
    void leavesNothingOpenWhereTheOutboxCanNotBeWritten() throws Exception {
        try (Connection connection = database.dataSource().getConnection()) {
            database.withoutOutbox(() -> {
                assertThatThrownBy(() -> commit(connection, new Item(1, "lost")))
                        .hasStackTraceContaining("run `cqrs migrate` on this database first");
            });
            commit(connection, new Item(2, "next"));
        }
        assertCommitted("2");
    }

    @Test
    void leavesTheDriverToMendWhatFailsWhereItIsToldTo() throws Exception {
        String url = url("autosave=always");
        try (Connection connection = UrlDataSource.of(url, null, null).getConnection()) {
            commit(connection, new Item(1, "one"));
            assertThat(lastStatement(connection)).isEqualTo("COMMIT");
        }
        assertThat(database.rows("select instance_pk from cqrs.outbox")).containsExactly("1");
    }

    @Test
    void aSessionGoesOnAfterACommitThatFailed() {
        try (Session session = master.sessions().openSession()) {
            session.beginTransaction();
            session.persist(new Item(1, "same"));
            session.persist(new Item(2, "same"));
            assertThatThrownBy(() -> session.getTransaction().commit()).hasStackTraceContaining("one_name");
            session.clear();
            database.withoutOutbox(() -> {
                session.beginTransaction();
                session.persist(new Item(3, "lost"));
                assertThatThrownBy(() -> session.getTransaction().commit())
                        .hasStackTraceContaining("run `cqrs migrate` on this database first");
            });
            session.clear();
            session.beginTransaction();
            session.persist(new Item(4, "next"));
            session.getTransaction().commit();
        }
        assertCommitted("4");
    }

    @Test
    void sendsNothingOfWhatWasRolledBackPastHibernate() {
        assertThatThrownBy(() -> master.commit(session -> {
                    session.persist(new Item(1, "gone"));
                    session.flush();
                    MasterUnit.beforeCommit(session, () -> session.doWork(Connection::rollback));
                }))
                .hasStackTraceContaining("was ended on its connection, past Hibernate");
        assertCommitted();
    }

    @Test
    void sendsWhatASessionThatSharesTheTransactionFlushesInTheVeryEnd() {
        try (Session session = master.sessions().openSession()) {
            session.beginTransaction();
            session.persist(new Item(1, "parent"));
            Session child = session.sessionWithOptions().connection().openSession();
            child.persist(new Item(2, "child"));
            session.getTransaction().commit();
            session.beginTransaction();
            session.persist(new Item(3, "later"));
            session.getTransaction().commit();
        }
        assertThat(database.rows("select instance_pk from cqrs.outbox order by instance_pk"))
                .contains("1", "3")
                .isEqualTo(database.rows("select id from item order by id"));
    }

    @Test
    void neverCommitsUnsentWhatASessionThatSharesTheTransactionFlushesOnceMore() {
        try (Session session = master.sessions().openSession()) {
            session.beginTransaction();
            session.persist(new Item(1, "parent"));
            session.flush();
            Session child = session.sessionWithOptions().connection().openSession();
            child.persist(new Item(2, "child"));
            child.flush();
            child.persist(new Item(3, "late"));
            Throwable refused = catchThrowable(() -> session.getTransaction().commit());
            assertThat(database.count("item")).isEqualTo(refused == null ? 3 : 0);
        }
        assertThat(database.rows("select instance_pk from cqrs.outbox order by instance_pk"))
                .isEqualTo(database.rows("select id from item order by id"));
    }

    @Test
    void refusesAChangeAfterTheChangesWereWrittenWhoeverSwallowsTheError() {
        assertThatThrownBy(() -> master.commit(session -> {
                    session.persist(new Item(1, "first"));
                    session.flush();
                    MasterUnit.beforeCommit(session, () -> {
                        session.persist(new Item(2, "too late"));
                        Throwable unused = catchThrowable(session::flush);
                    });
                }))
                .hasStackTraceContaining("was changed after the transaction's changes were written");
        assertCommitted();
    }

    @Test
    void sendsWhatComesAfterARollbackThatNobodyWasToldOf() {
        try (Session session = master.sessions().openSession()) {
            session.beginTransaction();
            MasterUnit.afterCompletion(session, () -> {
                throw new IllegalStateException("nobody else is told");
            });
            session.persist(new Item(1, "rolled back"));
            session.flush();
            Throwable unused = catchThrowable(() -> session.getTransaction().rollback());
            session.clear();
            session.beginTransaction();
            session.persist(new Item(2, "next"));
            session.getTransaction().commit();
        }
        assertCommitted("2");
    }

    /** Says that these rows are there, and their messages. */
    private static void assertCommitted(String... ids) {
        assertThat(database.rows("select id from item order by id")).containsExactly(ids);
        assertThat(database.rows("select instance_pk from cqrs.outbox order by id"))
                .containsExactly(ids);
    }

    private static String url(String option) {
        return database.url() + (database.url().contains("?") ? "&" : "?") + option;
    }

    private static void commit(Connection connection, Item item) {
        try (Session session =
                master.sessions().withOptions().connection(connection).openSession()) {
            session.beginTransaction();
            session.persist(item);
            session.getTransaction().commit();
        }
    }

    /** What the server did for a connection last. */
    private static String lastStatement(Connection connection) throws SQLException {
        int pid = connection.unwrap(PGConnection.class).getBackendPID();
        return database.rows("select query from pg_stat_activity where pid = " + pid)
                .get(0)
                .strip();
    }

    @Test
    void sendsSeveralRowsWhereTheDriverHasNoBinaryForm() {
        String url = url("preferQueryMode=simple");
        TestDatabase simple = new TestDatabase(url, UrlDataSource.of(url, null, null));
        try (MasterUnit unit = MasterUnit.on(simple, Item.class)) {
            unit.commit(session -> {
                session.persist(new Item(1, "one \\ \" , } \u00fc"));
                session.persist(new Item(2, "two"));
            });
        }
        assertThat(database.rows("select (body::jsonb)->'instance_data'->>'name' from cqrs.outbox order by id"))
                .containsExactly("one \\ \" , } \u00fc", "two");
    }
}
