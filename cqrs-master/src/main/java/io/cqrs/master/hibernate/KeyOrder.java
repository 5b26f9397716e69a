package io.cqrs.master.hibernate;

import io.cqrs.master.hibernate.model.MasterKey;
import jakarta.persistence.criteria.CriteriaBuilder;
import jakarta.persistence.criteria.Expression;
import jakarta.persistence.criteria.Order;
import jakarta.persistence.criteria.Path;
import jakarta.persistence.criteria.Predicate;
import jakarta.persistence.criteria.Root;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.hibernate.engine.spi.SessionFactoryImplementor;
import org.hibernate.metamodel.mapping.CompositeIdentifierMapping;
import org.hibernate.metamodel.mapping.EmbeddableMappingType;
import org.hibernate.metamodel.mapping.EntityIdentifierMapping;
import org.hibernate.metamodel.mapping.EntityMappingType;
import org.jspecify.annotations.Nullable;

/**
 * Conditions and orders by an entity's id in criteria queries, whatever the id is made of: part by part, as its key on the wire
 * has them. Immutable.
 */
final class KeyOrder {

    private final @Nullable EmbeddableMappingType composite;
    private final List<List<String>> paths;
    private final List<Integer> places;

    private KeyOrder(@Nullable EmbeddableMappingType composite, List<List<String>> paths, List<Integer> places) {
        this.composite = composite;
        this.paths = paths;
        this.places = places;
    }

    static KeyOrder of(SessionFactoryImplementor factory, Class<?> type) {
        EntityMappingType entity = factory.getMappingMetamodel().getEntityDescriptor(type);
        EntityIdentifierMapping id = entity.getIdentifierMapping();
        if (!(id instanceof CompositeIdentifierMapping mapping)) {
            return new KeyOrder(null, List.of(List.of(id.getAttributeName())), List.of());
        }
        EmbeddableMappingType composite = mapping.getMappedIdEmbeddableTypeDescriptor();
        boolean embedded = id.getNature() == EntityIdentifierMapping.Nature.COMPOSITE;
        List<List<String>> paths = new ArrayList<>();
        List<Integer> places = MasterKey.places(composite);
        for (int place : places) {
            String part = composite.getAttributeMapping(place).getAttributeName();
            paths.add(embedded ? List.of(id.getAttributeName(), part) : List.of(part));
        }
        return new KeyOrder(composite, paths, places);
    }

    /** Orders by the id, part by part. */
    List<Order> ascending(Root<?> root, CriteriaBuilder builder) {
        return paths.stream().map(path -> builder.asc(expression(root, path))).toList();
    }

    /** Means the entities behind one in this order. */
    Predicate after(Root<?> root, CriteriaBuilder builder, Object id) {
        Object[] values = values(id);
        List<Predicate> either = new ArrayList<>();
        for (int i = 0; i < values.length; i++) {
            List<Predicate> all = new ArrayList<>();
            for (int j = 0; j < i; j++) {
                all.add(builder.equal(expression(root, paths.get(j)), values[j]));
            }
            all.add(greater(builder, expression(root, paths.get(i)), values[i]));
            either.add(builder.and(all.toArray(Predicate[]::new)));
        }
        return builder.or(either.toArray(Predicate[]::new));
    }

    /** Means the entities with one of these ids. */
    Predicate in(Root<?> root, CriteriaBuilder builder, Collection<?> ids) {
        if (composite == null) {
            return expression(root, paths.get(0)).in(ids);
        }
        List<Predicate> either = new ArrayList<>();
        for (Object id : ids) {
            Object[] values = values(id);
            List<Predicate> all = new ArrayList<>();
            for (int i = 0; i < values.length; i++) {
                all.add(builder.equal(expression(root, paths.get(i)), values[i]));
            }
            either.add(builder.and(all.toArray(Predicate[]::new)));
        }
        return builder.or(either.toArray(Predicate[]::new));
    }

    private Object[] values(Object id) {
        if (composite == null) {
            return new Object[] {id};
        }
        Object[] values = composite.getValues(id);
        return places.stream().map(place -> values[place]).toArray();
    }

    private static Expression<?> expression(Root<?> root, List<String> path) {
        Path<?> at = root;
        for (String step : path) {
            at = at.get(step);
        }
        return at;
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // ids compare with ids of the same attribute
    private static Predicate greater(CriteriaBuilder builder, Expression<?> expression, Object value) {
        return builder.greaterThan((Expression<Comparable>) expression, (Comparable) value);
    }
}
