package io.cqrs.it.support;

import com.arjuna.ats.arjuna.common.ObjectStoreEnvironmentBean;
import com.arjuna.ats.internal.arjuna.objectstore.VolatileStore;
import com.arjuna.ats.jta.common.jtaPropertyManager;
import com.arjuna.common.internal.util.propertyservice.BeanPopulator;
import jakarta.transaction.RollbackException;
import jakarta.transaction.Status;
import jakarta.transaction.Synchronization;
import jakarta.transaction.SystemException;
import jakarta.transaction.Transaction;
import jakarta.transaction.TransactionManager;
import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.logging.Logger;
import javax.sql.DataSource;
import javax.sql.XAConnection;
import org.hibernate.Session;
import org.hibernate.SessionFactory;
import org.hibernate.boot.MetadataBuilder;
import org.hibernate.boot.MetadataSources;
import org.hibernate.boot.registry.StandardServiceRegistryBuilder;
import org.hibernate.boot.spi.MetadataBuilderImplementor;
import org.hibernate.engine.transaction.jta.platform.internal.JBossStandAloneJtaPlatform;
import org.postgresql.xa.PGXADataSource;

/** A persistence unit as in an application server: Narayana coordinates, and each session joins its thread's transaction. */
public final class JtaUnit implements AutoCloseable {

    private static final Map<String, Object> COORDINATED =
            Map.of("hibernate.hbm2ddl.auto", "update", "hibernate.transaction.coordinator_class", "jta");

    private final TransactionManager manager;
    private final DataSource source;
    private final SessionFactory sessions;

    private JtaUnit(TransactionManager manager, DataSource source, Class<?>... entities) {
        this.manager = manager;
        this.source = source;
        this.sessions = build(true, "JBossTS", entities);
    }

    public static JtaUnit on(TestDatabase database, Class<?>... entities) {
        // Nothing is to be recovered: there is one database.
        for (String store : new String[] {"default", "stateStore", "communicationStore"}) {
            BeanPopulator.getNamedInstance(ObjectStoreEnvironmentBean.class, store)
                    .setObjectStoreType(VolatileStore.class.getName());
        }
        TransactionManager manager = jtaPropertyManager.getJTAEnvironmentBean().getTransactionManager();
        return new JtaUnit(manager, new Enlisting(database, manager), entities);
    }

    /** Commits what is done in a session, which is closed before, as containers do. */
    public void commit(Consumer<Session> work) throws Exception {
        manager.begin();
        try {
            try (Session session = sessions().openSession()) {
                work.accept(session);
                session.flush();
            }
            manager.commit();
        } finally {
            if (manager.getStatus() != Status.STATUS_NO_TRANSACTION) {
                manager.rollback();
            }
        }
    }

    public SessionFactory sessions() {
        return sessions;
    }

    /** Returns one within the same transactions whose sessions are gone as soon as they are closed. */
    public SessionFactory withoutJpa(Class<?>... entities) {
        return build(false, "JBossTS", entities);
    }

    /** Returns one as of a manager that tells of a commit in reverse: who was registered last is told first, as by Atomikos. */
    public SessionFactory inReverse(Class<?>... entities) {
        return build(true, new Reversed(), entities);
    }

    private SessionFactory build(boolean jpa, Object platform, Class<?>... entities) {
        MetadataSources sources = new MetadataSources(new StandardServiceRegistryBuilder()
                .applySettings(COORDINATED)
                .applySetting("hibernate.transaction.jta.platform", platform)
                .applySetting("hibernate.connection.datasource", source)
                .build());
        MetadataBuilder metadata = sources.addAnnotatedClasses(entities).getMetadataBuilder();
        if (jpa) {
            ((MetadataBuilderImplementor) metadata).getBootstrapContext().markAsJpaBootstrap();
        }
        return metadata.build().buildSessionFactory();
    }

    public TransactionManager manager() {
        return manager;
    }

    @Override
    public void close() {
        sessions.close();
    }

    /** Gives the connection of the thread's transaction, or where there is none one that commits by itself. */
    private static final class Enlisting implements DataSource {

        private final TestDatabase database;
        private final TransactionManager manager;
        private final PGXADataSource source = new PGXADataSource();
        private final Map<Transaction, XAConnection> enlisted = new ConcurrentHashMap<>();

        private Enlisting(TestDatabase database, TransactionManager manager) {
            this.database = database;
            this.manager = manager;
            source.setUrl(database.url());
        }

        @Override
        public Connection getConnection() throws SQLException {
            try {
                Transaction transaction = manager.getTransaction();
                return transaction == null ? database.dataSource().getConnection() : connection(transaction);
            } catch (SystemException | RollbackException e) {
                throw new SQLException(e);
            }
        }

        private Connection connection(Transaction transaction) throws SQLException, SystemException, RollbackException {
            XAConnection known = enlisted.get(transaction);
            if (known == null) {
                known = source.getXAConnection();
                enlisted.put(transaction, known);
                boolean unused = transaction.enlistResource(known.getXAResource());
                transaction.registerSynchronization(new Closing(transaction, known));
            }
            return known.getConnection();
        }

        @Override
        public Connection getConnection(String user, String password) throws SQLException {
            return getConnection();
        }

        @Override
        public PrintWriter getLogWriter() {
            throw new UnsupportedOperationException();
        }

        @Override
        public void setLogWriter(PrintWriter out) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void setLoginTimeout(int seconds) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int getLoginTimeout() {
            return 0;
        }

        @Override
        public Logger getParentLogger() {
            return Logger.getGlobal();
        }

        @Override
        public <T> T unwrap(Class<T> type) throws SQLException {
            throw new SQLException("wraps nothing");
        }

        @Override
        public boolean isWrapperFor(Class<?> type) {
            return false;
        }

        private final class Closing implements Synchronization {
            private final Transaction transaction;
            private final XAConnection connection;

            private Closing(Transaction transaction, XAConnection connection) {
                this.transaction = transaction;
                this.connection = connection;
            }

            @Override
            public void beforeCompletion() {
                // Nothing to do yet.
            }

            @Override
            public void afterCompletion(int status) {
                XAConnection unused = enlisted.remove(transaction);
                try {
                    connection.close();
                } catch (SQLException e) {
                    throw new IllegalStateException(e);
                }
            }
        }
    }

    /** Narayana but for the order of synchronizations. */
    private static final class Reversed extends JBossStandAloneJtaPlatform {

        private static final long serialVersionUID = 1L;

        private final transient Map<Transaction, Deque<Synchronization>> registered = new ConcurrentHashMap<>();

        @Override
        public void registerSynchronization(Synchronization synchronization) {
            try {
                Transaction transaction = retrieveTransactionManager().getTransaction();
                Deque<Synchronization> waiting = registered.get(transaction);
                if (waiting == null) {
                    waiting = new ArrayDeque<>();
                    registered.put(transaction, waiting);
                    transaction.registerSynchronization(new Popping(transaction));
                }
                waiting.push(synchronization);
            } catch (SystemException | RollbackException e) {
                throw new IllegalStateException(e);
            }
        }

        private final class Popping implements Synchronization {
            private final Transaction transaction;
            private final List<Synchronization> told = new ArrayList<>();

            private Popping(Transaction transaction) {
                this.transaction = transaction;
            }

            @Override
            public void beforeCompletion() {
                Deque<Synchronization> waiting = registered.get(transaction);
                while (!waiting.isEmpty()) {
                    told.add(waiting.pop());
                    told.get(told.size() - 1).beforeCompletion();
                }
            }

            @Override
            public void afterCompletion(int status) {
                told.addAll(registered.remove(transaction));
                told.forEach(one -> one.afterCompletion(status));
            }
        }
    }
}
