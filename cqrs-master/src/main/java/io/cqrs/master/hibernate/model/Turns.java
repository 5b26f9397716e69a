package io.cqrs.master.hibernate.model;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.metamodel.mapping.AttributeMapping;
import org.hibernate.metamodel.mapping.EntityMappingType;
import org.hibernate.metamodel.mapping.ForeignKeyDescriptor;
import org.hibernate.metamodel.mapping.internal.ToOneAttributeMapping;
import org.hibernate.persister.entity.EntityPersister;
import org.hibernate.persister.entity.UnionSubclassEntityPersister;
import org.jspecify.annotations.Nullable;

/**
 * Where the paths of {@link io.cqrs.master.Master#dependsOn} turn to other rows: by a new row, by a reference that changed, or by a
 * collection that did. Somebody may be changing what is reached so, and can't find the owner before this transaction
 * commits: whoever turns has to wait for that. Immutable.
 */
public final class Turns {

    static final Turns NONE = new Turns(Map.of());

    private final Map<String, List<Turn>> byEntity;

    private Turns(Map<String, List<Turn>> byEntity) {
        this.byEntity = byEntity;
    }

    /**
     * A step of a path from an entity on.
     *
     * @param property the attribute that is the step
     * @param reference its place in the entity's state, where the entity's own row has it; else -1
     * @param reached what comes behind, step by step
     */
    public record Turn(String property, int reference, Set<Reached> reached) {

        /**
         * Says whether a write made the row refer to other rows.
         *
         * @param before its state before, or null for a new row
         * @param after its state after, or null where that is not told
         */
        public boolean isMadeBy(
                Object @Nullable [] before, Object @Nullable [] after, SharedSessionContractImplementor session) {
            if (before == null || after == null || reference < 0) {
                return before == null && after != null;
            }
            return after[reference] != null && !Objects.equals(id(before, session), id(after, session));
        }

        private @Nullable Object id(Object[] state, SharedSessionContractImplementor session) {
            return state[reference] == null ? null : References.id(state[reference], session);
        }
    }

    /**
     * Rows that are reached by a path.
     *
     * @param query HQL for their ids, by {@code :ids} of where it turns
     * @param entity what they are
     */
    public record Reached(String query, String entity) {}

    /** Says whether paths go on from an entity. */
    boolean begin(String entityName) {
        return byEntity.containsKey(entityName);
    }

    /** Returns how paths go on from an entity, by its name. */
    public List<Turn> from(String entityName) {
        return byEntity.getOrDefault(entityName, List.of());
    }

    /** A step of a path: from an entity, by an attribute of it, to another entity. */
    record Step(EntityMappingType from, AttributeMapping by, EntityMappingType to) {}

    /** PostgreSQL locks no row of a union, but one of each of its tables. What is never written needs no lock. */
    static List<String> lockable(EntityMappingType type) {
        List<EntityPersister> all = type instanceof UnionSubclassEntityPersister
                ? Dependencies.withSubclasses(type)
                : List.of(type.getEntityPersister());
        return all.stream()
                .filter(EntityPersister::isMutable)
                .filter(one -> !(one instanceof UnionSubclassEntityPersister) || !one.isAbstract())
                .map(EntityPersister::getEntityName)
                .toList();
    }

    /** Collects paths. */
    static final class Builder {

        private final Map<String, Map<String, Turn>> byEntity = new HashMap<>();

        /** Rows that refer back turn by what they refer to; they themselves are written by whoever turns them. */
        void add(List<Step> path) {
            for (int from = 0; from < path.size(); from++) {
                Step step = path.get(from);
                @Nullable String mappedBy = Dependencies.mappedBy(step.by());
                if (mappedBy == null) {
                    add(step.from(), step.by().getAttributeName(), isOwn(step.by()), reached(path, from));
                } else if (from + 1 < path.size()) {
                    add(step.to(), mappedBy, true, reached(path, from + 1));
                }
            }
        }

        private static Set<Reached> reached(List<Step> path, int from) {
            String begin = path.get(from).from().getEntityName();
            StringBuilder joins = new StringBuilder();
            Set<Reached> reached = new LinkedHashSet<>();
            for (int to = from; to < path.size(); to++) {
                Step step = path.get(to);
                int end = to - from + 1;
                joins.append(" join y%d.%s y%d".formatted(end - 1, step.by().getAttributeName(), end));
                String query =
                        "select distinct id(y%d) from %s y0%s where id(y0) in (:ids)".formatted(end, begin, joins);
                lockable(step.to()).forEach(entity -> reached.add(new Reached(query, entity)));
            }
            return reached;
        }

        private void add(EntityMappingType type, String property, boolean own, Set<Reached> reached) {
            for (EntityPersister entity : Dependencies.withSubclasses(type)) {
                int reference = own ? List.of(entity.getPropertyNames()).indexOf(property) : -1;
                byEntity.computeIfAbsent(entity.getEntityName(), one -> new LinkedHashMap<>())
                        .computeIfAbsent(property, one -> new Turn(one, reference, new LinkedHashSet<>()))
                        .reached()
                        .addAll(reached);
            }
        }

        private static boolean isOwn(AttributeMapping attribute) {
            return attribute instanceof ToOneAttributeMapping reference
                    && reference.getSideNature() == ForeignKeyDescriptor.Nature.KEY;
        }

        Turns build() {
            Map<String, List<Turn>> all = new HashMap<>();
            byEntity.forEach((name, turns) -> all.put(name, new ArrayList<>(turns.values())));
            return new Turns(all);
        }
    }
}
