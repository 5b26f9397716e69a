package io.cqrs.master.hibernate;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.OutboxException;
import io.cqrs.core.lifecycle.Ticker;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.master.hibernate.model.ColumnDigits;
import io.cqrs.master.hibernate.model.Dependencies;
import io.cqrs.master.hibernate.model.MasterModel;
import io.cqrs.master.hibernate.model.MasterModels;
import io.cqrs.master.internal.outbox.JdbcOutbox;
import io.cqrs.master.internal.time.StampClock;
import jakarta.persistence.EntityManagerFactory;
import jakarta.transaction.Status;
import jakarta.transaction.Synchronization;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import org.hibernate.SessionEventListener;
import org.hibernate.engine.spi.SessionFactoryImplementor;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.event.service.spi.EventListenerRegistry;
import org.hibernate.event.spi.EventType;
import org.hibernate.event.spi.PostDeleteEvent;
import org.hibernate.event.spi.PostDeleteEventListener;
import org.hibernate.event.spi.PostInsertEvent;
import org.hibernate.event.spi.PostInsertEventListener;
import org.hibernate.event.spi.PostUpdateEvent;
import org.hibernate.event.spi.PostUpdateEventListener;
import org.hibernate.event.spi.PostUpsertEvent;
import org.hibernate.event.spi.PostUpsertEventListener;
import org.hibernate.persister.entity.EntityPersister;
import org.jspecify.annotations.Nullable;

/**
 * Captures what the sessions of one factory write to master entities.
 *
 * <ol>
 *   <li>Each insert, update and delete of a master row is recorded in the change set of its session's transaction.
 *   <li>Just before the commit, after the last flush, the change set is folded, serialized and written to the outbox on
 *       the same connection, or left to the commit itself. That is a local {@link Synchronization}, which Hibernate drops
 *       with a rollback; a callback of its action queue would survive one and send what was rolled back. An error aborts
 *       the commit.
 *   <li>After the commit whoever waits for it is woken.
 * </ol>
 *
 * <p>Row lock first, outbox row second, so its ids follow the order of an entity's commits. Thread-safe.
 */
public final class Capture
        implements PostInsertEventListener, PostUpdateEventListener, PostDeleteEventListener, PostUpsertEventListener {

    private static final long serialVersionUID = 1L;

    private final transient CaptureSettings settings;
    private final transient StampClock clock;
    private final transient JdbcOutbox outbox;
    private final transient Notifier notifier;
    private final transient ColumnDigits digits = new ColumnDigits();
    private final transient Map<SharedSessionContractImplementor, Work> open =
            Collections.synchronizedMap(new WeakHashMap<>());
    private final transient List<BooleanSupplier> afterCommit = new CopyOnWriteArrayList<>();
    private transient volatile Map<String, MasterModel> models = Map.of();
    private transient volatile Dependencies dependencies = Dependencies.NONE;

    Capture(CaptureSettings settings, Notifier notifier) {
        this.settings = settings;
        this.notifier = notifier;
        this.clock = new StampClock(Ticker.SYSTEM, settings.clock());
        this.outbox = new JdbcOutbox(settings.schema(), settings.maxMessageBytes());
    }

    /**
     * Finds the capture of a persistence unit.
     *
     * @throws CqrsConfigurationException if it has no master entity
     */
    public static Capture of(EntityManagerFactory factory) {
        return of(factory.unwrap(SessionFactoryImplementor.class));
    }

    static Capture of(SessionFactoryImplementor factory) {
        EventListenerRegistry registry = factory.getServiceRegistry().requireService(EventListenerRegistry.class);
        for (PostInsertEventListener listener :
                registry.getEventListenerGroup(EventType.POST_INSERT).listeners()) {
            if (listener instanceof Capture capture) {
                return capture;
            }
        }
        throw new CqrsConfigurationException(
                "the persistence unit has no entity with @Master: annotate one, and let Hibernate find"
                        + " io.cqrs.master.hibernate.CqrsIntegrator in META-INF/services");
    }

    /**
     * Has something run after each commit that sends changes, in the committing thread: quick and not throwing. It
     * returns whether the relay at work was woken by it; where none was, one elsewhere is notified through the database.
     */
    public void addAfterCommit(BooleanSupplier action) {
        afterCommit.add(action);
    }

    /** Takes an action out again. */
    public void removeAfterCommit(BooleanSupplier action) {
        afterCommit.remove(action);
    }

    /** Returns the schema of the outbox. */
    public CqrsSchema schema() {
        return settings.schema();
    }

    StampClock clock() {
        return clock;
    }

    JdbcOutbox outbox() {
        return outbox;
    }

    MessageFactory messages(SharedSessionContractImplementor session) {
        return new MessageFactory(session, settings, clock, digits, outbox);
    }

    /** Returns the model of an instance. */
    MasterModel model(Object entity, SharedSessionContractImplementor session) {
        return model(session.getEntityPersister(null, entity).getEntityName());
    }

    /**
     * Returns the model of an entity.
     *
     * @throws CqrsConfigurationException if it is no master
     */
    MasterModel model(String entityName) {
        MasterModel model = models.get(entityName);
        if (model == null) {
            throw new CqrsConfigurationException(entityName + " is no entity with @Master");
        }
        return model;
    }

    Map<String, MasterModel> models() {
        return models;
    }

    Dependencies dependencies() {
        return dependencies;
    }

    /** Reads the declarations once Hibernate knows its entities; a wrong one stops the factory. */
    void readModels(SessionFactoryImplementor factory) {
        Map<String, MasterModel> read = MasterModels.read(factory, CqrsUpdated.class);
        dependencies = Dependencies.read(factory, read);
        models = read;
    }

    void wake() {
        boolean woken = false;
        for (BooleanSupplier action : afterCommit) {
            woken |= action.getAsBoolean();
        }
        if (!woken) {
            notifier.wake();
        }
    }

    @Override
    public void onPostInsert(PostInsertEvent event) {
        @Nullable SharedSessionContractImplementor session = session(event, event.getPersister());
        if (session != null) {
            MasterModel model = models.get(event.getPersister().getEntityName());
            if (model != null) {
                changes(session).inserted(model, event.getId(), event.getEntity(), event.getState());
            }
            related(event.getPersister().getEntityName(), event.getId(), null, event.getState(), true, session);
        }
    }

    @Override
    public void onPostUpdate(PostUpdateEvent event) {
        @Nullable SharedSessionContractImplementor session = session(event, event.getPersister());
        if (session != null) {
            MasterModel model = models.get(event.getPersister().getEntityName());
            Object[] old = event.getOldState();
            Object[] now = event.getState();
            if (model != null) {
                changes(session).updated(model, event.getId(), event.getEntity(), old, now);
            }
            related(event.getPersister().getEntityName(), event.getId(), old, now, old != null, session);
        }
    }

    @Override
    public void onPostDelete(PostDeleteEvent event) {
        @Nullable SharedSessionContractImplementor session = session(event, event.getPersister());
        if (session != null) {
            MasterModel model = models.get(event.getPersister().getEntityName());
            Object entity = event.getEntity();
            // A stateless session knows no state but the instance's own.
            Object[] known = event.getDeletedState();
            Object[] state = known == null ? event.getPersister().getValues(entity) : known;
            if (model != null) {
                changes(session).deleted(model, event.getId(), entity, state);
            }
            related(event.getPersister().getEntityName(), event.getId(), state, null, true, session);
        }
    }

    /** An upsert tells neither what the row was nor what it is: it can't be sent, and must not be committed unsent. */
    @Override
    public void onPostUpsert(PostUpsertEvent event) {
        @Nullable SharedSessionContractImplementor session = session(event, event.getPersister());
        if (session != null) {
            MasterModel model = models.get(event.getPersister().getEntityName());
            if (model != null) {
                throw changes(session)
                        .refuse("an upsert of " + model.cqrsId() + " can't be captured: use insert or update");
            }
            related(event.getPersister().getEntityName(), event.getId(), null, event.getState(), false, session);
        }
    }

    private @Nullable SharedSessionContractImplementor session(Object event, EntityPersister persister) {
        @Nullable SharedSessionContractImplementor session = EventSessions.of(event);
        if (session == null) {
            refuseUncaptured(persister.getEntityName());
        }
        return session;
    }

    /**
     * Refuses a write of a stateless session that this Hibernate tells too little of.
     *
     * @throws OutboxException unless such writes are allowed, or no master is concerned
     */
    void refuseUncaptured(String entityName) {
        boolean counts =
                models.containsKey(entityName) || !dependencies.on(entityName).isEmpty();
        if (counts && settings.dml() != UncapturedDml.ALLOW) {
            throw new OutboxException(
                    "a StatelessSession of this version of Hibernate can't be captured, and writes " + entityName
                            + ": use a Session or Hibernate 7, or install trigger capture and set cqrs.uncaptured_dml to"
                            + " ALLOW",
                    null);
        }
    }

    @Override
    public boolean requiresPostCommitHandling(EntityPersister persister) {
        return false;
    }

    /** Takes note that a row was written, for the masters that depend on it or on what it refers to. */
    void related(
            String name,
            Object id,
            Object @Nullable [] before,
            Object @Nullable [] after,
            boolean known,
            SharedSessionContractImplementor session) {
        if (dependencies.concern(name)) {
            changes(session).related(name, id, before, after, known);
        }
    }

    /** Returns a change set for a session that whoever opened it drains and ends itself, within another one's transaction. */
    ChangeSet open(SharedSessionContractImplementor session, ChangeSet within) {
        ChangeSet created = within.within(session);
        work(session).changes = created;
        return created;
    }

    /** Returns the change set of the session's transaction, which is written just before the commit. */
    ChangeSet changes(SharedSessionContractImplementor session) {
        Work work = work(session);
        ChangeSet known = work.changes;
        if (known != null && !known.isOver()) {
            return known;
        }
        Sessions.requireTransaction(session);
        ChangeSet created = new ChangeSet(session, this);
        work.changes = created;
        session.getTransactionCoordinator()
                .getLocalSynchronizations()
                .registerSynchronization(new Flusher(work, created));
        ContainerGuard.register(session, created);
        return created;
    }

    private Work work(SharedSessionContractImplementor session) {
        Work known = open.get(session);
        if (known != null) {
            return known;
        }
        Work created = new Work();
        open.put(session, created);
        // A session may be closed in the midst of its transaction: then nobody completes it.
        session.getEventListenerManager().addListener(new SessionEventListener() {
            private static final long serialVersionUID = 1L;

            @Override
            public void end() {
                @Nullable Work unused = open.remove(session);
            }
        });
        return created;
    }

    /** What a session has in hand, for as long as it lives; between transactions it holds nothing of it. */
    private static final class Work {
        private @Nullable ChangeSet changes;
    }

    private final class Flusher implements Synchronization {
        private final Work work;
        private final ChangeSet changes;

        private Flusher(Work work, ChangeSet changes) {
            this.work = work;
            this.changes = changes;
        }

        @Override
        public void beforeCompletion() {
            // Hibernate before 7.4 leaves those of a commit that failed to the next one; a container may have told the
            // guard first.
            if (!changes.isDone()) {
                changes.close();
            }
        }

        @Override
        public void afterCompletion(int status) {
            if (work.changes == changes) {
                work.changes = null;
            }
            if (changes.hasSent() && status == Status.STATUS_COMMITTED) {
                wake();
            }
        }
    }
}
