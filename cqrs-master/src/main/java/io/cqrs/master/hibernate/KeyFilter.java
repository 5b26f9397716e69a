package io.cqrs.master.hibernate;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.FieldFilter;
import io.cqrs.core.FieldFilter.Condition;
import io.cqrs.core.FieldFilter.Lookup;
import io.cqrs.master.Restriction;
import io.cqrs.master.hibernate.model.MasterKey;
import io.cqrs.master.hibernate.model.MasterModel;
import io.cqrs.master.internal.sync.SyncKey;
import jakarta.persistence.criteria.Predicate;
import java.util.ArrayList;
import java.util.List;
import org.hibernate.engine.spi.SessionFactoryImplementor;
import org.hibernate.metamodel.mapping.CompositeIdentifierMapping;
import org.hibernate.metamodel.mapping.EmbeddableMappingType;
import org.hibernate.metamodel.mapping.EntityIdentifierMapping;

/** Means entities by their keys on the wire, given as the text of their parts. Immutable. */
final class KeyFilter<T> {

    private final MasterModel model;
    private final FilterPredicates predicates;
    private final List<String> paths;

    KeyFilter(SessionFactoryImplementor factory, MasterModel model) {
        this.model = model;
        this.predicates = new FilterPredicates(factory, model);
        EntityIdentifierMapping id = factory.getMappingMetamodel()
                .getEntityDescriptor(model.entityName())
                .getIdentifierMapping();
        this.paths = paths(model, id);
    }

    private static List<String> paths(MasterModel model, EntityIdentifierMapping id) {
        if (!(id instanceof CompositeIdentifierMapping composite)) {
            return List.of(id.getAttributeName());
        }
        boolean embedded = id.getNature() == EntityIdentifierMapping.Nature.COMPOSITE;
        String prefix = embedded ? id.getAttributeName() + "." : "";
        EmbeddableMappingType type = composite.getMappedIdEmbeddableTypeDescriptor();
        List<String> paths = MasterKey.places(type).stream()
                .map(place -> prefix + type.getAttributeMapping(place).getAttributeName())
                .toList();
        if (paths.size() != model.key().parts().size()) {
            throw new CqrsConfigurationException("the id of " + model.type().getName()
                    + " has parts of several columns, by which its rows can't be named: use a filter");
        }
        return paths;
    }

    /**
     * Means the entities with these keys.
     *
     * @throws CqrsConfigurationException if a key has another number of parts, or one is not of its attribute's type
     */
    Restriction<T> of(List<List<String>> keys) {
        List<FieldFilter> each = keys.stream().map(this::filter).toList();
        if (paths.size() == 1) {
            List<Object> values = keys.stream().map(key -> (Object) key.get(0)).toList();
            FieldFilter any = new FieldFilter(List.of(new Condition(paths.get(0), Lookup.IN, values)));
            return (root, builder) ->
                    builder.and(predicates.predicates(root, builder, any).toArray(Predicate[]::new));
        }
        return any(each);
    }

    private Restriction<T> any(List<FieldFilter> each) {
        return (root, builder) -> builder.or(each.stream()
                .map(one ->
                        builder.and(predicates.predicates(root, builder, one).toArray(Predicate[]::new)))
                .toArray(Predicate[]::new));
    }

    /**
     * Means the entities behind a key, part by part.
     *
     * @param json the key, as it is on the wire
     * @throws CqrsConfigurationException if it has another number of parts
     */
    Restriction<T> behind(String json) {
        List<String> key = SyncKey.parts(model.cqrsId(), json, paths.size());
        List<FieldFilter> each = new ArrayList<>();
        for (int i = 0; i < key.size(); i++) {
            List<Condition> parts = new ArrayList<>();
            for (int j = 0; j < i; j++) {
                parts.add(new Condition(paths.get(j), Lookup.EXACT, List.of(key.get(j))));
            }
            parts.add(new Condition(paths.get(i), Lookup.GT, List.of(key.get(i))));
            each.add(new FieldFilter(parts));
        }
        return any(each);
    }

    private FieldFilter filter(List<String> key) {
        if (key.size() != paths.size()) {
            throw new CqrsConfigurationException(
                    "a key has " + key.size() + " part(s), that of " + paths + " has " + paths.size());
        }
        List<Condition> parts = new ArrayList<>();
        for (int i = 0; i < paths.size(); i++) {
            parts.add(new Condition(paths.get(i), Lookup.EXACT, List.of(key.get(i))));
        }
        return new FieldFilter(parts);
    }
}
