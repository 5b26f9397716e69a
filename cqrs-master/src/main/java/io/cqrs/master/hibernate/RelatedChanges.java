package io.cqrs.master.hibernate;

import io.cqrs.master.hibernate.model.Dependencies.Dependency;
import io.cqrs.master.hibernate.model.MasterModel;
import io.cqrs.master.hibernate.model.Turns.Reached;
import io.cqrs.master.hibernate.model.Turns.Turn;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.hibernate.Filter;
import org.hibernate.Session;
import org.hibernate.engine.spi.EntityEntry;
import org.hibernate.engine.spi.PersistenceContext;
import org.hibernate.engine.spi.SessionImplementor;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.persister.entity.EntityPersister;
import org.hibernate.query.QueryProducer;
import org.jspecify.annotations.Nullable;

/**
 * The changed rows that masters depend on ({@link io.cqrs.master.Master#dependsOn}), and the owners to send for them.
 *
 * <p>An owner gets a revision and a time of its own from the transaction that changes the related row, so its messages
 * order like any others, and whoever changes it at the same time waits for the row. A row that comes to depend on others waits for
 * whoever is changing those. Belongs to its change set.
 */
final class RelatedChanges implements AutoCloseable {

    private static final int CHUNK = 1000;

    private final Map<String, Set<Object>> touched = new TreeMap<>();
    private final Map<Turn, Set<Object>> turned = new LinkedHashMap<>();
    private final Map<Dependency, Set<Object>> changed = new LinkedHashMap<>();
    private final Map<Dependency, Set<Object>> previous = new LinkedHashMap<>();
    private final List<Instances> readers = new ArrayList<>();

    /** Says whether nothing was recorded. */
    boolean isEmpty() {
        return changed.isEmpty() && turned.isEmpty();
    }

    /** Records a change of a row. */
    void add(
            List<Dependency> dependencies,
            Object id,
            Object @Nullable [] oldState,
            SharedSessionContractImplementor session) {
        for (Dependency dependency : dependencies) {
            changed.computeIfAbsent(dependency, one -> new LinkedHashSet<>()).add(id);
            @Nullable Object before = dependency.previousId(oldState, session);
            if (before != null) {
                previous.computeIfAbsent(dependency, one -> new LinkedHashSet<>())
                        .add(before);
            }
        }
    }

    /**
     * Records which rows nobody who comes to depend on what was changed would wait for: those whose collections were, of their own or
     * by rows that refer to them, and those that have other tables than their first.
     */
    void touch(
            List<Dependency> dependencies,
            String name,
            Object id,
            Object @Nullable [] before,
            Object @Nullable [] after,
            SharedSessionContractImplementor session) {
        for (Dependency dependency : dependencies) {
            touchPrevious(dependency, dependency.previousId(before, session));
            touchPrevious(dependency, dependency.previousId(after, session));
        }
        EntityPersister persister = session.getFactory().getMappingMetamodel().getEntityDescriptor(name);
        boolean collection = before == null && after == null;
        if (!dependencies.isEmpty()
                && (collection || (!persister.isVersioned() && persister.getQuerySpaces().length > 1))) {
            touch(name, id);
        }
    }

    private void touchPrevious(Dependency dependency, @Nullable Object id) {
        if (id != null && dependency.ownersOfPrevious() != null) {
            dependency.previous().forEach(entity -> touch(entity, id));
        }
    }

    private void touch(String entity, Object id) {
        touched.computeIfAbsent(entity, one -> new LinkedHashSet<>()).add(id);
    }

    /** Records that a row refers to other rows than before. */
    void turn(Turn turn, Object id) {
        turned.computeIfAbsent(turn, one -> new LinkedHashSet<>()).add(id);
    }

    /**
     * Waits for whoever is changing rows that were turned to, and keeps others from it: what is sent of them is to be what they
     * are, since nobody who changes them knows of the owner before this transaction commits.
     */
    void share(SharedSessionContractImplementor session) {
        if (turned.isEmpty()) {
            return;
        }
        try (Session reader = Sessions.openReader(session)) {
            turned.forEach((turn, ids) -> {
                // Step by step: whoever was waited for may have turned what is reached to yet other rows.
                for (Reached next : turn.reached()) {
                    for (List<Object> chunk : chunks(find(reader, next.query(), ids))) {
                        RowLocks.lock(session, next.entity(), chunk, RowLocks.SHARE);
                    }
                }
            });
        }
        turned.clear();
    }

    /** Locks what {@link #saveOwners} will lock: a shared lock that it would have to raise would meet another's. */
    void lockOwners(SharedSessionContractImplementor session) {
        if (turned.isEmpty() || changed.isEmpty()) {
            return;
        }
        lockTouched(session);
        owners(session).forEach((model, ids) -> {
            for (List<Object> chunk : chunks(ids)) {
                List<Instant> unused = RowLocks.lock(session, model, chunk, RowLocks.UPDATE);
            }
        });
    }

    private void lockTouched(SharedSessionContractImplementor session) {
        touched.forEach(
                (entity, ids) -> chunks(ids).forEach(chunk -> RowLocks.lock(session, entity, chunk, RowLocks.UPDATE)));
        touched.clear();
    }

    /** Gives each owner that is not sent anyway a new revision, and records it as changed. */
    void saveOwners(SharedSessionContractImplementor session, ChangeSet changes, Capture capture) {
        if (changed.isEmpty()) {
            return;
        }
        lockTouched(session);
        Map<MasterModel, Set<Object>> owners = owners(session);
        owners.forEach((model, ids) -> ids.removeIf(id -> changes.saves(model, id)));
        if (owners.values().stream().allMatch(Set::isEmpty)) {
            return;
        }
        // The user's filters tell what is to be seen, not who depends on what was written. A session that is closed
        // before its commit answers no more.
        if (session instanceof SessionImplementor stateful) {
            boolean fit = session.isOpen() && !session.getLoadQueryInfluencers().hasEnabledFilters();
            try (Session within = fit ? null : Sessions.openWithin(stateful)) {
                save(session, within == null ? session : within, changes, capture, owners);
            }
        } else {
            List<Filter> filters = Filters.disable(session);
            try {
                save(session, session, changes, capture, owners);
            } finally {
                Filters.enable(filters, session);
            }
        }
    }

    private void save(
            SharedSessionContractImplementor session,
            QueryProducer queries,
            ChangeSet changes,
            Capture capture,
            Map<MasterModel, Set<Object>> owners) {
        owners.forEach((model, ids) -> {
            for (List<Object> chunk : chunks(ids)) {
                save(session, queries, changes, capture, model, chunk);
            }
        });
    }

    /** Says whether rows were written that these depend on: what that had made of them before is not known. */
    boolean concern(MasterModel owner) {
        for (Dependency dependency : changed.keySet()) {
            if (dependency.owner().equals(owner)) {
                return true;
            }
        }
        return false;
    }

    private Map<MasterModel, Set<Object>> owners(SharedSessionContractImplementor session) {
        Map<MasterModel, Set<Object>> owners = new LinkedHashMap<>();
        try (Session reader = Sessions.openReader(session)) {
            changed.forEach(
                    (dependency, ids) -> owners(owners, dependency).addAll(find(reader, dependency.owners(), ids)));
            previous.forEach((dependency, ids) -> owners(owners, dependency)
                    .addAll(
                            dependency.ownersOfPrevious() == null
                                    ? ids
                                    : find(reader, dependency.ownersOfPrevious(), ids)));
        }
        return owners;
    }

    private static Set<Object> owners(Map<MasterModel, Set<Object>> owners, Dependency dependency) {
        return owners.computeIfAbsent(dependency.owner(), one -> new LinkedHashSet<>());
    }

    private static List<Object> find(QueryProducer session, String query, Set<Object> ids) {
        List<Object> found = new ArrayList<>();
        for (List<Object> chunk : chunks(ids)) {
            found.addAll(session.createSelectionQuery(query, Object.class)
                    .setParameterList("ids", chunk)
                    .getResultList());
        }
        return found;
    }

    private void save(
            SharedSessionContractImplementor session,
            QueryProducer queries,
            ChangeSet changes,
            Capture capture,
            MasterModel model,
            List<Object> ids) {
        String updated = model.updated().property();
        List<Instant> unusedTimes = RowLocks.lock(session, model, ids, RowLocks.UPDATE);
        List<Instant> times = queries.createSelectionQuery(
                        "select o." + updated + " from " + model.type().getName() + " o where id(o) in (:ids)",
                        Instant.class)
                .setParameterList("ids", ids)
                .getResultList();
        @Nullable Instant latest = times.stream().max(Comparator.naturalOrder()).orElse(null);
        Instant now = capture.clock().next(latest, () -> Sessions.connection(session));
        int unused = queries.createMutationQuery("update versioned "
                        + model.type().getName() + " o set o." + updated + " = :now where id(o) in (:ids)")
                .setParameter("now", now)
                .setParameterList("ids", ids)
                .executeUpdate();
        // Of its own, or it would return what it read of a row before.
        Instances instances = new Instances(session);
        readers.add(instances);
        Map<Object, Object> owners = instances.load(model, ids);
        owners.forEach((id, entity) -> {
            Object[] state = instances.state(entity);
            refresh(session, model, entity, id, state);
            changes.updatedByRelated(capture.model(entity, session), id, entity, state);
        });
        if (owners.values().stream().noneMatch(Mixins::answers)) {
            readers.remove(instances);
            instances.close();
        }
    }

    /** Ends the sessions of the owners, which are asked about themselves until their messages are made. */
    @Override
    public void close() {
        readers.forEach(Instances::close);
        readers.clear();
    }

    /** The session's own instance must not look stale to its next flush, unless it is: somebody else changed the row before. */
    private static void refresh(
            SharedSessionContractImplementor session, MasterModel model, Object entity, Object id, Object[] state) {
        EntityPersister persister = session.getEntityPersister(null, entity);
        PersistenceContext context = session.getPersistenceContextInternal();
        Object managed = context.getEntity(session.generateEntityKey(id, persister));
        EntityEntry entry = managed == null ? null : context.getEntry(managed);
        if (managed != null
                && entry != null
                && entry.getLoadedState() != null
                && isNext(state[model.revision().index()], entry)) {
            int updated = model.updated().index();
            entry.forceLocked(managed, state[model.revision().index()]);
            entry.getLoadedState()[updated] = state[updated];
            persister.setPropertyValue(managed, updated, state[updated]);
        }
    }

    private static boolean isNext(Object revision, EntityEntry entry) {
        return entry.getVersion() instanceof Number known && known.longValue() + 1 == ((Number) revision).longValue();
    }

    private static List<List<Object>> chunks(Collection<Object> ids) {
        List<Object> all = List.copyOf(ids);
        List<List<Object>> chunks = new ArrayList<>();
        for (int from = 0; from < all.size(); from += CHUNK) {
            chunks.add(all.subList(from, Math.min(from + CHUNK, all.size())));
        }
        return chunks;
    }
}
