package io.cqrs.master.hibernate;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.master.Master;
import io.cqrs.transport.WireNames;
import io.cqrs.transport.WireValues;
import jakarta.persistence.Column;
import jakarta.persistence.metamodel.Attribute;
import jakarta.persistence.metamodel.EntityType;
import jakarta.persistence.metamodel.SingularAttribute;
import java.lang.reflect.AnnotatedElement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.hibernate.engine.spi.SessionFactoryImplementor;
import org.hibernate.persister.entity.EntityPersister;

/** Reads the {@link Master} declarations of a session factory; a wrong one is refused, naming class, attribute and fix. */
final class MasterModels {

    private final EntityType<?> entity;
    private final Master master;
    private final List<String> properties;
    private final boolean[] versioned;

    private MasterModels(EntityType<?> entity, Master master, EntityPersister persister) {
        this.entity = entity;
        this.master = master;
        this.properties = List.of(persister.getPropertyNames());
        this.versioned = persister.getPropertyVersionability();
    }

    static Map<String, MasterModel> read(SessionFactoryImplementor factory) {
        Map<String, MasterModel> byEntity = new HashMap<>();
        Map<CqrsId, MasterModel> byId = new HashMap<>();
        for (EntityType<?> entity : factory.getMetamodel().getEntities()) {
            Master master = entity.getJavaType().getAnnotation(Master.class);
            requireNoMasterAbove(entity);
            if (master != null) {
                EntityPersister persister =
                        factory.getRuntimeMetamodels().getMappingMetamodel().getEntityDescriptor(entity.getJavaType());
                MasterModel model = new MasterModels(entity, master, persister).model();
                MasterModel other = byId.put(model.cqrsId(), model);
                if (other != null) {
                    throw new CqrsConfigurationException(other.type().getName() + " and "
                            + model.type().getName() + " both have the cqrs id " + model.cqrsId()
                            + ": give one of them another");
                }
                byEntity.put(persister.getEntityName(), model);
            }
        }
        return Map.copyOf(byEntity);
    }

    private static void requireNoMasterAbove(EntityType<?> entity) {
        for (Class<?> above = entity.getJavaType().getSuperclass(); above != null; above = above.getSuperclass()) {
            if (above.isAnnotationPresent(Master.class)) {
                throw new CqrsConfigurationException(entity.getJavaType().getName() + " extends the master "
                        + above.getName() + ", and would not be sent: entities of a hierarchy can't be masters yet,"
                        + " share what they have in a @MappedSuperclass without @Master");
            }
        }
    }

    private MasterModel model() {
        String id = id().getName();
        int revision = properties.indexOf(version());
        int updated = properties.indexOf(updated());
        Set<String> wanted = wanted(id);
        List<MasterField> fields = new ArrayList<>();
        for (int i = 0; i < properties.size(); i++) {
            if (i != revision && i != updated && wanted.contains(properties.get(i))) {
                fields.add(field(i));
            }
        }
        try {
            return new MasterModel(
                    CqrsId.of(master.value()),
                    entity.getJavaType(),
                    master.produce(),
                    wireName(id()),
                    List.copyOf(fields),
                    tracked(fields),
                    revision,
                    updated);
        } catch (IllegalArgumentException e) {
            throw new CqrsConfigurationException("@Master of " + className() + ": " + e.getMessage(), e);
        }
    }

    private SingularAttribute<?, ?> id() {
        if (!entity.hasSingleIdAttribute()) {
            throw wrong("its id", "has several attributes, which has no form on the wire yet: use a single id");
        }
        SingularAttribute<?, ?> id = entity.getId(entity.getIdType().getJavaType());
        if (!WireValues.supports(id.getJavaType()) && !id.getJavaType().isPrimitive()) {
            throw wrong(id.getName(), "is an id of " + id.getJavaType().getName() + ", which has no form on the wire");
        }
        return id;
    }

    private String version() {
        Set<Class<?>> integers = Set.of(int.class, long.class, short.class, Integer.class, Long.class, Short.class);
        return entity.getSingularAttributes().stream()
                .filter(SingularAttribute::isVersion)
                .filter(attribute -> integers.contains(attribute.getJavaType()))
                .map(Attribute::getName)
                .findFirst()
                .orElseThrow(() -> new CqrsConfigurationException(className()
                        + " has no integer @Version, which counts its revisions: extend MasterEntity, or add"
                        + " @Version @Column(name = \"cqrs_revision\") Long"));
    }

    private String updated() {
        return entity.getSingularAttributes().stream()
                .filter(attribute -> element(attribute).isAnnotationPresent(CqrsUpdated.class))
                .filter(attribute -> attribute.getJavaType() == Instant.class)
                .map(Attribute::getName)
                .findFirst()
                .orElseThrow(() -> new CqrsConfigurationException(className()
                        + " has no Instant with @CqrsUpdated, which orders its changes: extend MasterEntity, or add"
                        + " @CqrsUpdated @Column(name = \"cqrs_updated\") Instant"));
    }

    private Set<String> wanted(String id) {
        if (master.fields().length == 0) {
            Set<String> all = new HashSet<>();
            entity.getSingularAttributes().forEach(attribute -> all.add(attribute.getName()));
            return all;
        }
        Set<String> wanted = new HashSet<>();
        for (String name : master.fields()) {
            if (!properties.contains(name) && !name.equals(id)) {
                throw wrong(name, "is listed in fields but does not exist: correct the name");
            }
            if (!wanted.add(name)) {
                throw wrong(name, "is listed twice in fields: list it once");
            }
        }
        if (!wanted.contains(id)) {
            throw wrong(id, "is the id but not listed in fields: list it");
        }
        return wanted;
    }

    private MasterField field(int index) {
        Attribute<?, ?> attribute = entity.getAttribute(properties.get(index));
        boolean reference = attribute.isAssociation();
        boolean supported = attribute.getJavaType().isPrimitive() || WireValues.supports(attribute.getJavaType());
        if (attribute.isCollection() || (!reference && !supported)) {
            throw wrong(
                    attribute.getName(),
                    "is a " + attribute.getJavaType().getName()
                            + ", which has no form on the wire: leave it out by listing fields");
        }
        if (!versioned[index]) {
            throw wrong(
                    attribute.getName(),
                    "can change without a new revision, so replicas could miss the change: take"
                            + " @OptimisticLock(excluded = true) off, or leave it out by listing fields");
        }
        return new MasterField(attribute.getName(), wireName(attribute), index, reference);
    }

    private Set<String> tracked(List<MasterField> fields) {
        Set<String> tracked = new HashSet<>();
        for (String name : master.tracked()) {
            tracked.add(fields.stream()
                    .filter(field -> field.property().equals(name))
                    .findFirst()
                    .orElseThrow(() ->
                            wrong(name, "is tracked but not sent: track only fields that are sent, and not the id"))
                    .name());
        }
        return Set.copyOf(tracked);
    }

    private static String wireName(Attribute<?, ?> attribute) {
        Column column = element(attribute).getAnnotation(Column.class);
        if (column != null && !column.name().isEmpty()) {
            return column.name().replace("`", "").replace("\"", "");
        }
        return WireNames.snakeCase(attribute.getName());
    }

    private static AnnotatedElement element(Attribute<?, ?> attribute) {
        return (AnnotatedElement) attribute.getJavaMember();
    }

    private CqrsConfigurationException wrong(String attribute, String what) {
        return new CqrsConfigurationException(
                className() + "." + attribute + " " + what + " (it has " + Arrays.toString(properties.toArray()) + ")");
    }

    private String className() {
        return entity.getJavaType().getName();
    }
}
