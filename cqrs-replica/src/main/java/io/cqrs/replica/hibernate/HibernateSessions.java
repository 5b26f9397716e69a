package io.cqrs.replica.hibernate;

import io.cqrs.core.CqrsId;
import io.cqrs.replica.internal.apply.EntitySession;
import io.cqrs.replica.internal.apply.EntitySessions;
import java.sql.Connection;
import java.util.Map;
import org.hibernate.Session;
import org.hibernate.SessionFactory;

/** Opens Hibernate's sessions on workers' connections. Thread-safe. */
final class HibernateSessions implements EntitySessions {

    private static final int JDBC_BATCH = 500;

    private final SessionFactory factory;
    private final Map<CqrsId, EntityModel> models;

    HibernateSessions(SessionFactory factory, Map<CqrsId, EntityModel> models) {
        this.factory = factory;
        this.models = models;
    }

    @Override
    public EntitySession open(Connection connection) {
        Session session = factory.withOptions().connection(connection).openSession();
        session.setJdbcBatchSize(JDBC_BATCH);
        session.beginTransaction();
        return new HibernateSession(session, models);
    }
}
