package io.cqrs.master.hibernate;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.master.Restriction;
import io.cqrs.master.SyncRequest;
import io.cqrs.master.hibernate.model.MasterModel;
import jakarta.persistence.criteria.CriteriaBuilder;
import jakarta.persistence.criteria.CriteriaQuery;
import jakarta.persistence.criteria.Predicate;
import jakarta.persistence.criteria.Root;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.hibernate.Session;
import org.hibernate.engine.spi.SessionFactoryImplementor;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.persister.entity.EntityPersister;
import org.jspecify.annotations.Nullable;

/** Reads a master's entities page by page, in the order of their ids: those of its model. Stateless. */
final class EntityPages<T> {

    private final Capture capture;
    private final Class<T> type;
    private final KeyOrder order;
    private final FilterPredicates filters;
    private final @Nullable List<Class<?>> own;

    EntityPages(SessionFactoryImplementor factory, Capture capture, Class<T> type) {
        this.capture = capture;
        this.type = type;
        this.order = KeyOrder.of(factory, type);
        this.filters = new FilterPredicates(factory, capture.model(type.getName()));
        this.own = own(factory, capture, type);
    }

    /**
     * Returns the classes to read one after the other: the type itself, or those of its model that have a table each.
     *
     * @throws CqrsConfigurationException if one of those has rows and subclasses
     */
    static <T> List<Class<? extends T>> types(SessionFactoryImplementor factory, Capture capture, Class<T> type) {
        MasterModel model = capture.model(type.getName());
        return LockableTypes.of(factory, type).stream()
                .filter(one -> capture.model(one.getName()).equals(model))
                .toList();
    }

    /** Returns the classes of the same model, or null where all that the type has are: others are asked for by their own. */
    private static @Nullable List<Class<?>> own(SessionFactoryImplementor factory, Capture capture, Class<?> type) {
        MasterModel model = capture.model(type.getName());
        List<Class<?>> own = new ArrayList<>();
        boolean all = true;
        for (String name :
                factory.getMappingMetamodel().getEntityDescriptor(type).getSubclassEntityNames()) {
            EntityPersister one = factory.getMappingMetamodel().getEntityDescriptor(name);
            boolean same = capture.model(name).equals(model);
            all &= same;
            if (same && !one.isAbstract()) {
                own.add(one.getMappedClass());
            }
        }
        return all ? null : own;
    }

    private List<Predicate> own(Root<T> root, CriteriaBuilder builder) {
        if (own == null) {
            return List.of();
        }
        return List.of(own.isEmpty() ? builder.disjunction() : root.type().in(own));
    }

    /** Takes an entity that is sent. */
    @FunctionalInterface
    interface Visitor {
        /**
         * Takes an entity.
         *
         * @param instance what a serializer reads
         * @param state its state in the order of Hibernate's properties
         */
        void visit(MasterModel model, Object id, Object instance, Object[] state);
    }

    /** Means the entities behind an id. */
    Restriction<T> behind(Object id) {
        return (root, builder) -> order.after(root, builder, id);
    }

    /**
     * Entities by id.
     *
     * @param full whether there may be more; one that a join repeats takes the place of several
     */
    record Page(Map<Object, Object> entities, boolean full) {}

    /** Returns the entities behind where a page begins, as many as it has. */
    Page read(Session session, SyncRequest.Settings<T> settings, Restriction<T> behind) {
        CriteriaBuilder builder = session.getCriteriaBuilder();
        // Alone, an entity would be returned once, and not tell how many rows there were.
        CriteriaQuery<Object[]> query = builder.createQuery(Object[].class);
        Root<T> root = query.from(type);
        List<Predicate> conditions =
                new ArrayList<>(List.of(settings.restriction().on(root, builder), behind.on(root, builder)));
        conditions.addAll(filters.predicates(root, builder, settings.filter()));
        conditions.addAll(own(root, builder));
        if (settings.keys() != null) {
            conditions.add(order.in(root, builder, settings.keys()));
        }
        query.select(builder.array(root, builder.literal(1)))
                .where(conditions.toArray(Predicate[]::new))
                .orderBy(order.ascending(root, builder));
        List<Object[]> rows = session.createSelectionQuery(query)
                .setMaxResults(settings.pageSize())
                .getResultList();
        return new Page(byId(session, rows.stream().map(row -> row[0]).toList()), rows.size() == settings.pageSize());
    }

    /** Returns the entities that exist of these ids, by id, in their order. */
    Map<Object, Object> read(Session session, Collection<Object> ids) {
        Map<Object, Object> inOrder = new LinkedHashMap<>();
        if (!ids.isEmpty()) {
            Map<Object, Object> found = byId(
                    session,
                    session.createSelectionQuery("select e from " + type.getName() + " e where id(e) in (:ids)", type)
                            .setParameterList("ids", ids)
                            .getResultList());
            found.values().removeIf(entity -> own != null && !own.contains(entity.getClass()));
            ids.stream().filter(found::containsKey).forEach(id -> inOrder.put(id, found.get(id)));
        }
        return inOrder;
    }

    private static Map<Object, Object> byId(Session session, List<?> entities) {
        Map<Object, Object> found = new LinkedHashMap<>();
        for (Object entity : entities) {
            found.put(session.getIdentifier(entity), Instances.unproxied(entity));
        }
        return found;
    }

    /** Shows those that are sent, loaded for their serializer where there is one. */
    void visit(Session session, Map<Object, Object> found, MessageFactory messages, Visitor visitor) {
        SharedSessionContractImplementor implementor = (SharedSessionContractImplementor) session;
        Sessions.holdingConnection(implementor, () -> {
            try (Instances instances = new Instances(implementor)) {
                Map<Object, Object> sent = new LinkedHashMap<>(found);
                sent.values().removeIf(entity -> !messages.sends(capture.model(entity, implementor), entity));
                Map<Object, Object> loaded = loaded(instances, sent);
                sent.forEach((id, entity) -> visitor.visit(
                        capture.model(entity, implementor),
                        id,
                        loaded.getOrDefault(id, entity),
                        instances.state(entity)));
            }
        });
    }

    private Map<Object, Object> loaded(Instances instances, Map<Object, Object> sent) {
        MasterModel model = capture.model(type.getName());
        return model.serialization() == null || sent.isEmpty() ? Map.of() : instances.load(model, sent.keySet());
    }
}
