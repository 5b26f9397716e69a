package io.cqrs.master.hibernate.model;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.core.SerializationException;
import io.cqrs.master.Master;
import java.lang.annotation.Annotation;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.hibernate.metamodel.mapping.AttributeMapping;
import org.hibernate.metamodel.mapping.EntityDiscriminatorMapping;
import org.hibernate.metamodel.mapping.EntityMappingType;
import org.hibernate.metamodel.mapping.NonAggregatedIdentifierMapping;
import org.hibernate.metamodel.mapping.internal.BasicAttributeMapping;
import org.hibernate.persister.entity.EntityPersister;
import org.jspecify.annotations.Nullable;

/** Reads one entity's declaration; a wrong one is refused, naming class, attribute and fix. */
final class ModelReader {

    private static final Set<Class<?>> INTEGERS =
            Set.of(int.class, long.class, short.class, Integer.class, Long.class, Short.class);

    private final EntityPersister entity;
    private final Class<?> declaring;
    private final Master master;
    private final Serializers serializers;
    private final Class<? extends Annotation> updatedMark;
    private final PartReader parts;
    private final List<String> properties;

    /**
     * Prepares to read.
     *
     * @param entity whose messages
     * @param declaring the class with the annotation: the entity's or one above
     * @param updatedMark the annotation of the attribute that holds the time
     */
    ModelReader(
            EntityPersister entity,
            Class<?> declaring,
            Serializers serializers,
            Class<? extends Annotation> updatedMark) {
        this.updatedMark = updatedMark;
        this.entity = entity;
        this.declaring = declaring;
        this.master = declaring.getAnnotation(Master.class);
        this.serializers = serializers;
        this.parts = new PartReader();
        this.properties = List.of(entity.getPropertyNames());
    }

    MasterModel read() {
        if (entity.getSoftDeleteMapping() != null) {
            throw new CqrsConfigurationException(className()
                    + " has @SoftDelete, under which an update of a stale instance brings a deleted row back, and of which"
                    + " triggers, dumps and comparisons know nothing: use a boolean of your own, an isSyncInstance that asks"
                    + " it, and whenExcluded = DELETE");
        }
        MasterModel.Position revision = revision();
        MasterModel.Position updated = updated();
        MasterModel.@Nullable Serialization serialization = serializers.of(master, declaring);
        if (serialization != null && master.fields().length > 0) {
            throw new CqrsConfigurationException(
                    declaring.getName() + " sets both fields and a serializer: leave one of them out");
        }
        Set<String> wanted = wanted();
        List<MasterField> fields = new ArrayList<>();
        for (int i = 0; i < properties.size(); i++) {
            if (i != revision.index() && i != updated.index() && wanted.contains(properties.get(i))) {
                @Nullable MasterField field = field(i, serialization != null);
                if (field != null) {
                    fields.add(field);
                }
            }
        }
        MasterKey key = key();
        requireDistinct(key, fields);
        try {
            return new MasterModel(
                    CqrsId.of(master.value()),
                    declaring,
                    entity.getEntityName(),
                    master.produce(),
                    key,
                    List.copyOf(fields),
                    fields.stream().anyMatch(field -> field.isAny(MasterField.Writes.INSERTS)),
                    fields.stream()
                            .anyMatch(field -> !entity.getPropertyUpdateability()[field.index()]
                                    && field.isAny(MasterField.Writes.INSERTS)
                                    && entity.getPropertyTypes()[field.index()].isMutable()),
                    fields.stream().anyMatch(field -> field.isAny(MasterField.Writes.UPDATES)),
                    tracked(fields),
                    kind(),
                    revision,
                    updated,
                    serialization,
                    master.whenExcluded(),
                    expiry());
        } catch (IllegalArgumentException e) {
            throw new CqrsConfigurationException("@Master of " + declaring.getName() + ": " + e.getMessage(), e);
        }
    }

    private MasterKey key() {
        if (entity.getIdentifierMapping() instanceof NonAggregatedIdentifierMapping id
                && id.getIdClassEmbeddable() == null
                && idProperties().size() > 1) {
            throw new CqrsConfigurationException(className() + " has several @Id, " + idProperties()
                    + ", without an @IdClass, so that its id is an instance of itself: add one, or use an @EmbeddedId");
        }
        if (entity.getIdentifierMapping().getJavaType().getJavaTypeClass().isArray()) {
            throw wrong(
                    entity.getIdentifierMapping().getAttributeName(),
                    "is an array, of which Java can't tell that two are equal: use a String or a UUID as id, or have triggers"
                            + " capture the table as declared in cqrs.yaml");
        }
        try {
            return parts.key(entity);
        } catch (SerializationException e) {
            throw wrong(entity.getIdentifierMapping().getAttributeName(), e.getMessage());
        }
    }

    private MasterModel.Position revision() {
        if (entity.getVersionMapping() != null) {
            BasicAttributeMapping version = entity.getVersionMapping().getVersionAttribute();
            if (INTEGERS.contains(version.getJavaType().getJavaTypeClass())) {
                return position(version);
            }
        }
        throw new CqrsConfigurationException(className()
                + " has no integer @Version, which counts its revisions: extend MasterEntity, or add"
                + " @Version @Column(name = \"cqrs_revision\") Long");
    }

    private MasterModel.Position updated() {
        for (int i = 0; i < properties.size(); i++) {
            AttributeMapping attribute = entity.getAttributeMapping(i);
            if (PartReader.element(attribute).isAnnotationPresent(updatedMark)
                    && attribute.getJavaType().getJavaTypeClass() == Instant.class
                    && attribute instanceof BasicAttributeMapping basic) {
                return position(basic);
            }
        }
        throw new CqrsConfigurationException(className()
                + " has no Instant with @CqrsUpdated, which orders its changes: extend MasterEntity, or add"
                + " @CqrsUpdated @Column(name = \"cqrs_updated\") Instant");
    }

    private MasterModel.Position position(BasicAttributeMapping attribute) {
        return new MasterModel.Position(
                attribute.getAttributeName(),
                properties.indexOf(attribute.getAttributeName()),
                Column.of(attribute.getContainingTableExpression(), attribute.getSelectionExpression()));
    }

    private Set<String> wanted() {
        Set<String> ids = idProperties();
        if (isAll(master.fields())) {
            Set<String> all = new HashSet<>();
            for (int i = 0; i < properties.size(); i++) {
                if (PartReader.isSent(entity.getAttributeMapping(i))) {
                    all.add(properties.get(i));
                }
            }
            return all;
        }
        Set<String> known = knownInHierarchy();
        Set<String> wanted = new HashSet<>();
        for (String name : master.fields()) {
            if (!known.contains(name) && !ids.contains(name)) {
                throw wrong(name, "is listed in fields but does not exist: correct the name");
            }
            if (!wanted.add(name)) {
                throw wrong(name, "is listed twice in fields: list it once");
            }
        }
        for (String id : ids) {
            if (!wanted.contains(id)) {
                throw wrong(id, "is the id but not listed in fields: list it");
            }
        }
        return wanted;
    }

    /** Several where the id has a class of its own. */
    private Set<String> idProperties() {
        if (entity.getIdentifierMapping() instanceof NonAggregatedIdentifierMapping id) {
            Set<String> parts = new TreeSet<>();
            id.getVirtualIdEmbeddable().forEachAttributeMapping(part -> parts.add(part.getAttributeName()));
            return parts;
        }
        return Set.of(entity.getIdentifierPropertyName());
    }

    /** A list of the root may name what only some of its subclasses have. */
    private Set<String> knownInHierarchy() {
        Set<String> known = new HashSet<>(properties);
        for (EntityMappingType sub : entity.getRootEntityDescriptor().getSubMappingTypes()) {
            known.addAll(List.of(sub.getEntityPersister().getPropertyNames()));
        }
        return known;
    }

    private static boolean isAll(String[] names) {
        return names.length == 0 || Arrays.equals(names, new String[] {Master.ALL});
    }

    /** Returns null for what has nothing to send, or no form on the wire and needs none, since a serializer makes the data. */
    private @Nullable MasterField field(int index, boolean serialized) {
        AttributeMapping attribute = entity.getAttributeMapping(index);
        if (!entity.getPropertyVersionability()[index]) {
            throw wrong(
                    properties.get(index),
                    "can change without a new revision, so replicas could miss the change: take"
                            + " @OptimisticLock(excluded = true) off, or leave it out by listing fields");
        }
        try {
            MasterField field = new MasterField(properties.get(index), index, parts.part(attribute));
            if (field.names().isEmpty() && !serialized && !isAll(master.fields())) {
                throw wrong(
                        properties.get(index),
                        "has nothing to send: take it out of fields, or put @CqrsField on a collection of it");
            }
            return field.names().isEmpty() ? null : field;
        } catch (SerializationException e) {
            if (serialized) {
                return null;
            }
            throw wrong(properties.get(index), e.getMessage() + ": leave it out by listing fields");
        }
    }

    private void requireDistinct(MasterKey key, List<MasterField> fields) {
        Set<String> names = new HashSet<>(Set.of("cqrs_revision", "cqrs_updated"));
        key.parts().forEach(part -> names.add(part.name()));
        for (MasterField field : fields) {
            for (String name : field.names()) {
                if (!names.add(name)) {
                    throw wrong(
                            field.property(),
                            "is \"" + name + "\" on the wire, as another one is: give it a name by @CqrsField");
                }
            }
        }
    }

    private Set<String> tracked(List<MasterField> fields) {
        Set<String> tracked = new HashSet<>();
        boolean all = master.tracked().length > 0 && isAll(master.tracked());
        Set<String> known = knownInHierarchy();
        for (String name : all ? fields.stream().map(MasterField::property).toList() : List.of(master.tracked())) {
            @Nullable
            MasterField field = fields.stream()
                    .filter(one -> one.property().equals(name))
                    .findFirst()
                    .orElse(null);
            if (field == null) {
                if (!known.contains(name) && !idProperties().contains(name)) {
                    throw wrong(
                            name,
                            "is listed in tracked but does not exist: correct the name; of an embeddable, track the whole");
                }
                if (properties.contains(name) || !known.contains(name)) {
                    throw wrong(name, "is tracked but not sent: track only fields that are sent, and not the id");
                }
            } else if (field.trackable().isEmpty()) {
                if (!all) {
                    throw wrong(
                            name,
                            "is a collection, or an embeddable of such, whose old values are not known: take it out of tracked");
                }
            } else if (!tracked.addAll(field.trackable())) {
                throw wrong(name, "is listed twice in tracked: list it once");
            }
        }
        return Set.copyOf(tracked);
    }

    private MasterModel.@Nullable Kind kind() {
        EntityDiscriminatorMapping discriminator = entity.getDiscriminatorMapping();
        if (discriminator == null || !discriminator.hasPhysicalColumn()) {
            return null;
        }
        String literal = entity.getDiscriminatorSQLValue();
        Column column = Column.of(discriminator.getContainingTableExpression(), discriminator.getSelectionExpression());
        return new MasterModel.Kind(column.name(), kind(literal), column);
    }

    private Object kind(String literal) {
        if (literal.startsWith("'")) {
            return literal.substring(1, literal.length() - 1).replace("''", "'");
        }
        try {
            return Long.valueOf(literal);
        } catch (NumberFormatException e) {
            throw new CqrsConfigurationException(
                    className() + " has @DiscriminatorValue(\"" + literal
                            + "\"), which is no value to tell replicas: give it one of its own",
                    e);
        }
    }

    private @Nullable Duration expiry() {
        if (master.expirySeconds() < 0) {
            throw new CqrsConfigurationException(
                    className() + " has expirySeconds " + master.expirySeconds() + ": it is 0 or more");
        }
        return master.expirySeconds() == 0 ? null : Duration.ofSeconds(master.expirySeconds());
    }

    private CqrsConfigurationException wrong(@Nullable String attribute, @Nullable String what) {
        Set<String> known = new TreeSet<>(properties);
        known.addAll(idProperties());
        // Hibernate's own, for an id of a class.
        known.removeIf(name -> name.startsWith("_"));
        return new CqrsConfigurationException(className() + "." + attribute + " " + what + " (it has " + known + ")");
    }

    private String className() {
        return entity.getMappedClass().getName();
    }

    /** Makes and checks what produces the data in place of the fields. */
    interface Serializers {
        MasterModel.@Nullable Serialization of(Master master, Class<?> declaring);
    }
}
