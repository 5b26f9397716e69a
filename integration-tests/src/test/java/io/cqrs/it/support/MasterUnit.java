package io.cqrs.it.support;

import jakarta.transaction.Synchronization;
import java.util.function.Consumer;
import org.hibernate.Session;
import org.hibernate.SessionFactory;
import org.hibernate.SharedSessionContract;
import org.hibernate.cfg.Configuration;
import org.hibernate.engine.spi.SharedSessionContractImplementor;

/** A persistence unit of a master service. */
public final class MasterUnit implements AutoCloseable {

    private final SessionFactory sessions;

    private MasterUnit(SessionFactory sessions) {
        this.sessions = sessions;
    }

    public static MasterUnit on(TestDatabase database, Class<?>... entities) {
        return of(configuration(database, entities));
    }

    public static MasterUnit of(Configuration configuration) {
        return new MasterUnit(configuration.buildSessionFactory());
    }

    public static Configuration configuration(TestDatabase database, Class<?>... entities) {
        Configuration configuration = new Configuration().setProperty("hibernate.hbm2ddl.auto", "update");
        configuration.getProperties().put("hibernate.connection.datasource", database.dataSource());
        for (Class<?> entity : entities) {
            configuration.addAnnotatedClass(entity);
        }
        return configuration;
    }

    /** Says whether the oldest Hibernate that is supported runs here. */
    public static boolean onHibernate6() {
        return "6.6".equals(System.getProperty("cqrs.it.hibernate"));
    }

    public SessionFactory sessions() {
        return sessions;
    }

    public void commit(Consumer<Session> work) {
        sessions.inTransaction(work);
    }

    public void rollBack(Consumer<Session> work) {
        try (Session session = sessions.openSession()) {
            session.beginTransaction();
            work.accept(session);
            session.flush();
            session.getTransaction().rollback();
        }
    }

    /** Has something run just before a session's commit: behind the capture, which is there from the first change on. */
    public static void beforeCommit(SharedSessionContract session, Runnable action) {
        register(session, action, () -> {});
    }

    /** Has something run when a session's transaction has been committed or rolled back. */
    public static void afterCompletion(Session session, Runnable action) {
        register(session, () -> {}, action);
    }

    private static void register(SharedSessionContract session, Runnable before, Runnable after) {
        ((SharedSessionContractImplementor) session)
                .getTransactionCoordinator()
                .getLocalSynchronizations()
                .registerSynchronization(new Synchronization() {
                    @Override
                    public void beforeCompletion() {
                        before.run();
                    }

                    @Override
                    public void afterCompletion(int status) {
                        after.run();
                    }
                });
    }

    @Override
    public void close() {
        sessions.close();
    }
}
