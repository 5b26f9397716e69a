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
import java.util.function.UnaryOperator;
import org.hibernate.engine.spi.SessionFactoryImplementor;
import org.hibernate.metamodel.mapping.AttributeMapping;
import org.hibernate.metamodel.mapping.CompositeIdentifierMapping;
import org.hibernate.metamodel.mapping.EmbeddableMappingType;
import org.hibernate.metamodel.mapping.EntityIdentifierMapping;
import org.hibernate.metamodel.mapping.EntityMappingType;
import org.hibernate.metamodel.mapping.NonAggregatedIdentifierMapping;
import org.hibernate.metamodel.mapping.internal.EmbeddedAttributeMapping;
import org.hibernate.metamodel.mapping.internal.ToOneAttributeMapping;
import org.jspecify.annotations.Nullable;

/**
 * Conditions and orders by an entity's id in criteria queries, whatever the id is made of: part by part, as its key on the wire
 * has them. Immutable.
 */
final class KeyOrder {

    private final List<Leaf> leaves;

    private KeyOrder(List<Leaf> leaves) {
        this.leaves = leaves;
    }

    static KeyOrder of(SessionFactoryImplementor factory, Class<?> type) {
        List<Leaf> leaves = new ArrayList<>();
        add(factory.getMappingMetamodel().getEntityDescriptor(type), List.of(), id -> id, leaves);
        return new KeyOrder(List.copyOf(leaves));
    }

    /** Adds the parts of an entity's id; one that refers to another entity has all of that one's. */
    private static void add(EntityMappingType entity, List<String> path, UnaryOperator<Object> id, List<Leaf> leaves) {
        EntityIdentifierMapping mapping = entity.getIdentifierMapping();
        if (!(mapping instanceof CompositeIdentifierMapping several)) {
            leaves.add(new Leaf(with(path, mapping.getAttributeName()), id));
            return;
        }
        boolean embedded = mapping.getNature() == EntityIdentifierMapping.Nature.COMPOSITE;
        add(
                several.getMappedIdEmbeddableTypeDescriptor(),
                mapping instanceof NonAggregatedIdentifierMapping parts ? parts.getVirtualIdEmbeddable() : null,
                embedded ? with(path, mapping.getAttributeName()) : path,
                id,
                leaves);
    }

    /**
     * Adds the parts of an id of several.
     *
     * @param values what has the values
     * @param attributes what has the attributes of the entity, where they are not those
     */
    private static void add(
            EmbeddableMappingType values,
            @Nullable EmbeddableMappingType attributes,
            List<String> path,
            UnaryOperator<Object> id,
            List<Leaf> leaves) {
        for (int place : MasterKey.places(values)) {
            String name = values.getAttributeMapping(place).getAttributeName();
            AttributeMapping part =
                    attributes == null ? values.getAttributeMapping(place) : attributes.findAttributeMapping(name);
            UnaryOperator<Object> value = whole -> values.getValues(id.apply(whole))[place];
            if (part instanceof ToOneAttributeMapping reference) {
                EntityMappingType target = reference.getAssociatedEntityMappingType();
                add(target, with(path, name), whole -> idOf(target, value.apply(whole)), leaves);
            } else if (part instanceof EmbeddedAttributeMapping inner) {
                add(inner.getEmbeddableTypeDescriptor(), null, with(path, name), value, leaves);
            } else {
                leaves.add(new Leaf(with(path, name), value));
            }
        }
    }

    /** The values of an id class refer to an entity by its id already. */
    private static Object idOf(EntityMappingType target, Object value) {
        return target.getMappedJavaType().getJavaTypeClass().isInstance(value)
                ? target.getIdentifierMapping().getIdentifier(value)
                : value;
    }

    private static List<String> with(List<String> path, String step) {
        List<String> longer = new ArrayList<>(path);
        longer.add(step);
        return longer;
    }

    /** Orders by the id, part by part. */
    List<Order> ascending(Root<?> root, CriteriaBuilder builder) {
        return leaves.stream().map(leaf -> builder.asc(leaf.of(root))).toList();
    }

    /** Means the entities behind one in this order. */
    Predicate after(Root<?> root, CriteriaBuilder builder, Object id) {
        List<Predicate> either = new ArrayList<>();
        for (int i = 0; i < leaves.size(); i++) {
            List<Predicate> all = equal(root, builder, id, leaves.subList(0, i));
            all.add(greater(
                    builder, leaves.get(i).of(root), leaves.get(i).value().apply(id)));
            either.add(builder.and(all.toArray(Predicate[]::new)));
        }
        return builder.or(either.toArray(Predicate[]::new));
    }

    /** Means the entities with one of these ids. */
    Predicate in(Root<?> root, CriteriaBuilder builder, Collection<?> ids) {
        if (leaves.size() == 1) {
            Leaf only = leaves.get(0);
            return only.of(root).in(ids.stream().map(only.value()).toList());
        }
        List<Predicate> either = new ArrayList<>();
        for (Object id : ids) {
            either.add(builder.and(equal(root, builder, id, leaves).toArray(Predicate[]::new)));
        }
        return builder.or(either.toArray(Predicate[]::new));
    }

    private static List<Predicate> equal(Root<?> root, CriteriaBuilder builder, Object id, List<Leaf> leaves) {
        List<Predicate> all = new ArrayList<>();
        for (Leaf leaf : leaves) {
            all.add(builder.equal(leaf.of(root), leaf.value().apply(id)));
        }
        return all;
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // ids compare with ids of the same attribute
    private static Predicate greater(CriteriaBuilder builder, Expression<?> expression, Object value) {
        return builder.greaterThan((Expression<Comparable>) expression, (Comparable) value);
    }

    /**
     * A part of the id that has a value.
     *
     * @param path its attribute
     * @param value what an id has there
     */
    private record Leaf(List<String> path, UnaryOperator<Object> value) {
        Expression<?> of(Root<?> root) {
            Path<?> at = root;
            for (String step : path) {
                at = at.get(step);
            }
            return at;
        }
    }
}
