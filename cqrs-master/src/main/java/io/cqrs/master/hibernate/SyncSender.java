package io.cqrs.master.hibernate;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.OutboxException;
import io.cqrs.core.jdbc.Transactions;
import io.cqrs.core.lifecycle.ContentionRetry;
import io.cqrs.master.SyncProgress;
import io.cqrs.master.SyncRequest;
import io.cqrs.master.hibernate.model.MasterModel;
import io.cqrs.master.internal.outbox.OutboxMessage;
import io.cqrs.master.internal.outbox.OutboxWindow;
import jakarta.persistence.EntityManagerFactory;
import jakarta.persistence.LockModeType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.hibernate.FlushMode;
import org.hibernate.Session;
import org.hibernate.engine.spi.SessionFactoryImplementor;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.metamodel.mapping.BasicValuedModelPart;
import org.hibernate.metamodel.mapping.EntityIdentifierMapping;
import org.jspecify.annotations.Nullable;

/** Carries out {@link SyncRequest}s for entities. Stateless, thread-safe. */
public final class SyncSender {

    private final SessionFactoryImplementor factory;
    private final Capture capture;

    private SyncSender(SessionFactoryImplementor factory, Capture capture) {
        this.factory = factory;
        this.capture = capture;
    }

    /** Sends the masters of a persistence unit. */
    public static SyncSender of(EntityManagerFactory factory) {
        return new SyncSender(factory.unwrap(SessionFactoryImplementor.class), Capture.of(factory));
    }

    /**
     * Refuses what is no master.
     *
     * @throws CqrsConfigurationException if the type is none
     */
    public void requireMaster(Class<?> type) {
        MasterModel unused = capture.model(type.getName());
    }

    /**
     * Makes an id of its text.
     *
     * @throws CqrsConfigurationException if the text is none, or the id has several parts
     */
    public Object parseId(Class<?> type, String text) {
        EntityIdentifierMapping id =
                factory.getMappingMetamodel().getEntityDescriptor(type).getIdentifierMapping();
        if (!(id instanceof BasicValuedModelPart)) {
            throw new CqrsConfigurationException("the id of " + type.getName()
                    + " has several parts, behind which no sync can go on by text: use a filter");
        }
        Class<?> idType = id.getJavaType().getJavaTypeClass();
        try {
            return FilterPredicates.convert(factory, idType, text);
        } catch (RuntimeException e) {
            throw new CqrsConfigurationException(
                    "\"" + text + "\" is no id of " + type.getName() + ", which is a " + idType.getName(), e);
        }
    }

    /**
     * Sends what the settings say.
     *
     * @throws OutboxException if the database refuses
     * @throws InterruptedException if the thread is interrupted
     */
    public SyncProgress send(Class<?> type, SyncRequest.Settings<?> settings) throws InterruptedException {
        return send(type, settings, new OutboxWindow(capture.schema()));
    }

    /** Sends behind what was sent through the same window before. */
    SyncProgress send(Class<?> type, SyncRequest.Settings<?> settings, OutboxWindow window)
            throws InterruptedException {
        return sendAll(type, settings, window);
    }

    @SuppressWarnings("unchecked") // the request was made for this type, and holds for its subclasses
    private <T> SyncProgress sendAll(Class<T> type, SyncRequest.Settings<?> settings, OutboxWindow window)
            throws InterruptedException {
        List<Class<? extends T>> types = LockableTypes.of(factory, type);
        if (types.size() > 1 && settings.after() != null) {
            throw new CqrsConfigurationException(
                    type.getName() + " has a table per class, and their keys no common order: no sync of all can go on"
                            + " behind a key, name one of " + types + ", or use a filter");
        }
        SyncProgress progress = new SyncProgress(0, 0, settings.after(), false);
        for (Class<? extends T> one : types) {
            SyncProgress begin = new SyncProgress(progress.sent(), progress.skipped(), settings.after(), false);
            progress = new Run<>((Class<T>) one, (SyncRequest.Settings<T>) settings, window, begin).all();
        }
        settings.listener().accept(progress);
        return progress;
    }

    /** One request. */
    private final class Run<T> {

        private final SyncRequest.Settings<T> settings;
        private final EntityPages<T> pages;
        private final OutboxWindow window;
        private SyncProgress progress;

        private Run(Class<T> type, SyncRequest.Settings<T> settings, OutboxWindow window, SyncProgress begin) {
            this.settings = settings;
            this.pages = new EntityPages<>(factory, capture, type);
            this.window = window;
            this.progress = begin;
        }

        private SyncProgress all() throws InterruptedException {
            try (Session session = factory.openSession()) {
                session.setHibernateFlushMode(FlushMode.MANUAL);
                session.setDefaultReadOnly(true);
                awaitRelay(session);
                while (page(session)) {
                    settings.listener().accept(progress);
                    awaitRelay(session);
                }
            }
            return progress;
        }

        /** Returns whether there may be more. */
        private boolean page(Session session) throws InterruptedException {
            Written page = ContentionRetry.runYielding(() -> commit(session));
            window.written(page.last());
            progress = page.progress();
            capture.wake();
            return page.full();
        }

        private Written commit(Session session) {
            try {
                session.beginTransaction();
                session.doWork(Transactions::yieldToWriters);
                Written page = write(session);
                session.getTransaction().commit();
                return page;
            } catch (RuntimeException e) {
                if (session.getTransaction().isActive()) {
                    session.getTransaction().rollback();
                }
                throw e;
            } finally {
                session.clear();
            }
        }

        private Written write(Session session) {
            SharedSessionContractImplementor implementor = (SharedSessionContractImplementor) session;
            Map<Object, Object> found =
                    pages.read(session, settings, progress.lastKey(), LockModeType.PESSIMISTIC_READ);
            MessageFactory messages = capture.messages(implementor);
            Destination destination = new Destination(settings.queue(), settings.forced());
            List<OutboxMessage> written = new ArrayList<>();
            pages.visit(
                    session,
                    found,
                    messages,
                    (model, id, instance, state) ->
                            written.add(messages.sync(model, id, instance, state, destination)));
            @Nullable Long last = capture.outbox().write(Sessions.connection(implementor), written);
            @Nullable Object lastKey = progress.lastKey();
            for (Object id : found.keySet()) {
                lastKey = id;
            }
            SyncProgress now = new SyncProgress(
                    progress.sent() + written.size(),
                    progress.skipped() + found.size() - written.size(),
                    lastKey,
                    false);
            return new Written(now, last, found.size() == settings.pageSize());
        }

        private void awaitRelay(Session session) throws InterruptedException {
            SyncProgress now = progress;
            window.await(
                    work -> session.doReturningWork(work::ask),
                    () -> settings.listener().accept(new SyncProgress(now.sent(), now.skipped(), now.lastKey(), true)));
        }
    }

    /** A page that is written, but not committed. */
    private record Written(SyncProgress progress, @Nullable Long last, boolean full) {}
}
