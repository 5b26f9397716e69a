package io.cqrs.master.hibernate.model;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.master.Master;
import jakarta.persistence.OneToOne;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.hibernate.engine.spi.SessionFactoryImplementor;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.metamodel.mapping.AttributeMapping;
import org.hibernate.metamodel.mapping.EntityMappingType;
import org.hibernate.metamodel.mapping.EntityValuedModelPart;
import org.hibernate.metamodel.mapping.PluralAttributeMapping;
import org.hibernate.metamodel.mapping.internal.ToOneAttributeMapping;
import org.hibernate.persister.entity.EntityPersister;
import org.hibernate.persister.entity.UnionSubclassEntityPersister;
import org.jspecify.annotations.Nullable;

/** Which masters depend on which other entities: each step of each {@link Master#dependsOn} path. Immutable. */
public final class Dependencies {

    /** Nothing depends on anything. */
    public static final Dependencies NONE = new Dependencies(Map.of(), Turns.NONE, Set.of());

    private final Map<String, List<Dependency>> byEntity;
    private final Turns turns;
    private final Set<String> tables;

    private Dependencies(Map<String, List<Dependency>> byEntity, Turns turns, Set<String> tables) {
        this.byEntity = byEntity;
        this.turns = turns;
        this.tables = tables;
    }

    /**
     * A master's dependence on an entity at the end of a path.
     *
     * @param owner the master
     * @param owners HQL for the ids of owners, by {@code :ids} of the entity
     * @param backReference the place of the entity's own reference to what comes before it in the path, where that is what
     *     ties them; else -1
     * @param ownersOfPrevious HQL for the ids of owners by those of what comes before, or null where that is the owner
     * @param previous what comes before, as entities with tables of their own
     */
    public record Dependency(
            MasterModel owner,
            String owners,
            int backReference,
            @Nullable String ownersOfPrevious,
            List<String> previous) {

        /** Returns what a state of the entity belongs to: it may have moved, or be gone. */
        public @Nullable Object previousId(Object @Nullable [] state, SharedSessionContractImplementor session) {
            Object owner = state == null || backReference < 0 ? null : state[backReference];
            return owner == null ? null : References.id(owner, session);
        }
    }

    /**
     * Reads all paths.
     *
     * @throws CqrsConfigurationException if one names what does not exist or is no entity
     */
    public static Dependencies read(SessionFactoryImplementor factory, Map<String, MasterModel> models) {
        Map<String, List<Dependency>> byEntity = new HashMap<>();
        Turns.Builder turns = new Turns.Builder();
        for (MasterModel model : models.values()) {
            if (model.entityName().equals(model.type().getName())) {
                for (String path : model.type().getAnnotation(Master.class).dependsOn()) {
                    requireLockable(factory, model);
                    read(factory, model, path, byEntity, turns);
                }
            }
        }
        Set<String> tables = byEntity.keySet().stream()
                .flatMap(name -> Arrays.stream(
                        factory.getMappingMetamodel().getEntityDescriptor(name).getQuerySpaces()))
                .map(Object::toString)
                .collect(Collectors.toSet());
        return new Dependencies(byEntity, turns.build(), tables);
    }

    /** A deleted row tells what it belonged to only by a reference of its own. */
    private static void requireFindable(EntityMappingType at, AttributeMapping attribute, String path) {
        if (attribute instanceof PluralAttributeMapping plural
                && plural.getCollectionDescriptor().isOneToMany()
                && plural.getCollectionDescriptor().getMappedByProperty() == null) {
            throw unfindable(
                    at,
                    attribute,
                    path,
                    "whose rows don't refer back, so that a deleted one would not tell whose it was: map the reference in"
                            + " them, and the collection by mappedBy");
        }
        if (attribute instanceof PluralAttributeMapping plural
                && plural.getCollectionDescriptor().isManyToMany()
                && plural.getCollectionDescriptor().isInverse()) {
            throw unfindable(
                    at,
                    attribute,
                    path,
                    "a many-to-many that the other side owns, which does not tell whom it lost: have this side own it, and"
                            + " the other be mappedBy");
        }
    }

    /** A change of a collection is told as one of the master itself. */
    private static void requireCounted(
            MasterModel model, EntityMappingType at, AttributeMapping attribute, String path) {
        EntityPersister entity = at.getEntityPersister();
        int index = List.of(entity.getPropertyNames()).indexOf(attribute.getAttributeName());
        if (at.getEntityName().equals(model.entityName())
                && mappedBy(attribute) == null
                && !entity.getPropertyVersionability()[index]) {
            throw new CqrsConfigurationException(at.getEntityName() + ": dependsOn \"" + path + "\" goes through "
                    + attribute.getAttributeName() + ", which can change without a new revision: take"
                    + " @OptimisticLock(excluded = true) off");
        }
    }

    private static CqrsConfigurationException unfindable(
            EntityMappingType at, AttributeMapping attribute, String path, String why) {
        return new CqrsConfigurationException(at.getEntityName() + ": dependsOn \"" + path + "\" goes through "
                + attribute.getAttributeName() + ", " + why);
    }

    private static void requireLockable(SessionFactoryImplementor factory, MasterModel model) {
        EntityMappingType type = factory.getMappingMetamodel().getEntityDescriptor(model.entityName());
        if (type instanceof UnionSubclassEntityPersister
                && !type.getSubMappingTypes().isEmpty()) {
            throw new CqrsConfigurationException(model.type().getName()
                    + ": dependsOn of a hierarchy with a table per class can't be kept, since PostgreSQL locks no row of a"
                    + " union: declare @Master with dependsOn on its subclasses");
        }
    }

    /** Returns what depends on an entity, by its name. */
    public List<Dependency> on(String entityName) {
        return byEntity.getOrDefault(entityName, List.of());
    }

    /** Returns where paths go on from entities. */
    public Turns turns() {
        return turns;
    }

    /** Says whether an entity is on a path, or begins one. */
    public boolean concern(String entityName) {
        return byEntity.containsKey(entityName) || turns.begin(entityName);
    }

    /** Returns the tables of the entities that something depends on. */
    public Set<String> tables() {
        return tables;
    }

    private static void read(
            SessionFactoryImplementor factory,
            MasterModel model,
            String path,
            Map<String, List<Dependency>> byEntity,
            Turns.Builder turns) {
        List<Turns.Step> steps = new ArrayList<>();
        EntityMappingType at = factory.getMappingMetamodel().getEntityDescriptor(model.entityName());
        StringBuilder joins = new StringBuilder();
        @Nullable String previous = null;
        int step = 0;
        for (String name : path.split("\\.", -1)) {
            AttributeMapping attribute = at.findAttributeMapping(name);
            @Nullable EntityMappingType target = target(attribute);
            if (target == null) {
                throw new CqrsConfigurationException(model.type().getName() + ": dependsOn \"" + path + "\" names "
                        + name + ", which is no reference to an entity of " + at.getEntityName()
                        + ": correct the path");
            }
            requireFindable(at, attribute, path);
            requireCounted(model, at, attribute, path);
            joins.append(" join ")
                    .append(step == 0 ? "o" : "x" + step)
                    .append('.')
                    .append(name);
            step++;
            joins.append(" x").append(step);
            String owners = "select distinct id(o) from " + model.type().getName() + " o" + joins + " where id(x" + step
                    + ") in (:ids)";
            @Nullable String mappedBy = mappedBy(attribute);
            for (EntityPersister entity : withSubclasses(target)) {
                int backReference = mappedBy == null
                        ? -1
                        : List.of(entity.getPropertyNames()).indexOf(mappedBy);
                byEntity.computeIfAbsent(entity.getEntityName(), one -> new ArrayList<>())
                        .add(new Dependency(model, owners, backReference, previous, Turns.lockable(at)));
            }
            previous = owners;
            steps.add(new Turns.Step(at, attribute, target));
            at = target;
        }
        turns.add(steps);
    }

    private static @Nullable EntityMappingType target(@Nullable AttributeMapping attribute) {
        if (attribute instanceof ToOneAttributeMapping reference) {
            return reference.getEntityMappingType();
        }
        if (attribute instanceof PluralAttributeMapping plural
                && plural.getElementDescriptor() instanceof EntityValuedModelPart entity) {
            return entity.getEntityMappingType();
        }
        return null;
    }

    static @Nullable String mappedBy(AttributeMapping attribute) {
        if (attribute instanceof PluralAttributeMapping plural) {
            return plural.getCollectionDescriptor().getMappedByProperty();
        }
        OneToOne inverse = PartReader.element(attribute).getAnnotation(OneToOne.class);
        return inverse == null || inverse.mappedBy().isEmpty() ? null : inverse.mappedBy();
    }

    static List<EntityPersister> withSubclasses(EntityMappingType type) {
        List<EntityPersister> all = new ArrayList<>();
        all.add(type.getEntityPersister());
        type.getSubMappingTypes().forEach(sub -> all.add(sub.getEntityPersister()));
        return all;
    }
}
