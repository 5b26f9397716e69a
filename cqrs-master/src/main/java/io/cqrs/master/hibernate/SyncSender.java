package io.cqrs.master.hibernate;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.OutboxException;
import io.cqrs.core.jdbc.Transactions;
import io.cqrs.core.lifecycle.ContentionRetry;
import io.cqrs.master.Restriction;
import io.cqrs.master.SyncProgress;
import io.cqrs.master.SyncRequest;
import io.cqrs.master.hibernate.model.MasterModel;
import io.cqrs.master.internal.outbox.OutboxMessage;
import io.cqrs.master.internal.outbox.OutboxWindow;
import io.cqrs.master.internal.sync.SyncKey;
import jakarta.persistence.EntityManagerFactory;
import jakarta.persistence.criteria.CriteriaBuilder;
import jakarta.persistence.criteria.Predicate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.hibernate.Session;
import org.hibernate.engine.spi.SessionFactoryImplementor;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
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

    /** Means the entities behind an id, in the order of a sync. */
    public <T> Restriction<T> behind(Class<T> type, Object id) {
        return new EntityPages<>(factory, capture, type).behind(id);
    }

    /**
     * Means the entities behind a key, in the order of a sync.
     *
     * @param json the key, as it is on the wire
     * @throws CqrsConfigurationException if it is none of the type, or one that has parts of several columns
     */
    public <T> Restriction<T> behindKey(Class<T> type, String json) {
        Restriction<T> behind = new KeyFilter<T>(factory, capture.model(type.getName())).behind(json);
        CriteriaBuilder builder = factory.getCriteriaBuilder();
        try {
            Predicate unused = behind.on(builder.createQuery(type).from(type), builder);
        } catch (CqrsConfigurationException e) {
            throw new CqrsConfigurationException(
                    "'" + json + "' is no key of " + type.getName() + " to go on behind: " + e.getMessage(), e);
        }
        return behind;
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
        List<Class<? extends T>> types = EntityPages.types(factory, capture, type);
        if (types.size() > 1 && settings.after() != null) {
            throw new CqrsConfigurationException(
                    type.getName() + " has a table per class, and their keys no common order: no sync of all can go on"
                            + " behind a key, name one of " + types + ", or use a filter");
        }
        SyncProgress progress = new SyncProgress(0, 0, null, false);
        for (Class<? extends T> one : types) {
            progress = new Run<>((Class<T>) one, (SyncRequest.Settings<T>) settings, window, progress).all();
        }
        settings.listener().accept(progress);
        return progress;
    }

    /** One request. */
    private final class Run<T> {

        private final SyncRequest.Settings<T> settings;
        private final MasterModel model;
        private final EntityPages<T> pages;
        private final OutboxWindow window;
        private Restriction<T> behind;
        private SyncProgress progress;

        private Run(Class<T> type, SyncRequest.Settings<T> settings, OutboxWindow window, SyncProgress begin) {
            this.settings = settings;
            this.model = capture.model(type.getName());
            this.pages = new EntityPages<>(factory, capture, type);
            this.window = window;
            this.behind = settings.after() == null ? Restriction.all() : settings.after();
            this.progress = begin;
        }

        private SyncProgress all() throws InterruptedException {
            try (Session session = Sessions.openReader(factory)) {
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
            Written<T> page = ContentionRetry.runYielding(() -> commit(session));
            window.written(page.last());
            progress = page.progress();
            behind = page.behind();
            capture.wake();
            return page.full();
        }

        private Written<T> commit(Session session) {
            try {
                session.beginTransaction();
                session.doWork(Transactions::yieldToWriters);
                Written<T> page = write(session);
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

        private Written<T> write(Session session) {
            SharedSessionContractImplementor implementor = (SharedSessionContractImplementor) session;
            EntityPages.Page page = pages.read(session, settings, behind);
            Set<Object> ids = page.entities().keySet();
            List<Instant> unused = RowLocks.lock(implementor, model, ids, RowLocks.SHARE);
            session.clear();
            Map<Object, Object> found = pages.read(session, ids);
            MessageFactory messages = capture.messages(implementor);
            Destination destination = new Destination(settings.queue(), settings.forced());
            List<OutboxMessage> written = new ArrayList<>();
            pages.visit(
                    session,
                    found,
                    messages,
                    (one, id, instance, state) -> written.add(messages.sync(one, id, instance, state, destination)));
            @Nullable Long last = capture.outbox().write(Sessions.connection(implementor), written);
            @Nullable Object lastId = null;
            for (Object id : ids) {
                lastId = id;
            }
            SyncProgress now = new SyncProgress(
                    progress.sent() + written.size(),
                    progress.skipped() + found.size() - written.size(),
                    lastId == null
                            ? progress.lastKey()
                            : SyncKey.text(messages.key(model, lastId).value()),
                    false);
            return new Written<>(now, lastId == null ? behind : pages.behind(lastId), last, page.full());
        }

        private void awaitRelay(Session session) throws InterruptedException {
            SyncProgress now = progress;
            window.await(
                    question -> ask(session, question),
                    () -> settings.listener().accept(new SyncProgress(now.sent(), now.skipped(), now.lastKey(), true)));
        }
    }

    /** In a transaction of its own, however the pool and the isolation are set: in one that lasts the answer may never change. */
    private static boolean ask(Session session, OutboxWindow.Question question) {
        session.beginTransaction();
        try {
            return session.doReturningWork(question::ask);
        } finally {
            session.getTransaction().rollback();
        }
    }

    /** A page that is written, but not committed. */
    private record Written<T>(
            SyncProgress progress,
            Restriction<T> behind,
            @Nullable Long last,
            boolean full) {}
}
