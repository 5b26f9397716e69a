package io.cqrs.replica.hibernate;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.replica.Replica;
import io.cqrs.replica.ReplicaDefinition;
import io.cqrs.replica.ReplicaHandler;
import io.cqrs.replica.internal.apply.EntitySessions;
import io.cqrs.transport.WireNames;
import jakarta.persistence.AttributeOverride;
import jakarta.persistence.Column;
import jakarta.persistence.EntityManagerFactory;
import jakarta.persistence.GeneratedValue;
import java.lang.reflect.AccessibleObject;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Member;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.hibernate.engine.spi.SessionFactoryImplementor;
import org.hibernate.metamodel.mapping.AttributeMapping;
import org.hibernate.metamodel.mapping.BasicValuedModelPart;
import org.hibernate.metamodel.mapping.CompositeIdentifierMapping;
import org.hibernate.metamodel.mapping.EmbeddableValuedModelPart;
import org.hibernate.metamodel.mapping.EntityIdentifierMapping;
import org.hibernate.metamodel.mapping.PluralAttributeMapping;
import org.hibernate.metamodel.mapping.internal.ToOneAttributeMapping;
import org.hibernate.persister.entity.AbstractEntityPersister;

/**
 * The entities of a persistence unit that carry {@link Replica}: which columns and attributes their fields fill.
 *
 * @param definitions the replicas
 * @param sessions opens what their hooks work with
 */
public record EntityDefinitions(List<ReplicaDefinition> definitions, EntitySessions sessions) {

    private static final String REVISION = "cqrs_revision";
    private static final String UPDATED = "cqrs_updated";

    /**
     * Reads the declarations.
     *
     * @param handlers makes a handler of its class
     * @throws CqrsConfigurationException if one is wrong, naming the class, the attribute and the way out
     */
    public static EntityDefinitions of(
            EntityManagerFactory factory, Function<Class<? extends ReplicaHandler<?>>, ReplicaHandler<?>> handlers) {
        SessionFactoryImplementor sessions = factory.unwrap(SessionFactoryImplementor.class);
        List<ReplicaDefinition> definitions = new ArrayList<>();
        Map<CqrsId, EntityModel> models = new HashMap<>();
        sessions.getMetamodel().getEntities().forEach(entity -> {
            Replica replica = entity.getJavaType().getAnnotation(Replica.class);
            if (replica != null) {
                Reader reader = new Reader(sessions, entity.getJavaType(), replica);
                ReplicaDefinition definition = reader.definition(handlers);
                definitions.add(definition);
                if (definition.handler() != null) {
                    models.put(definition.cqrsId(), reader.model());
                }
            }
        });
        return new EntityDefinitions(definitions, new HibernateSessions(sessions, models));
    }

    /** Reads one entity. */
    private static final class Reader {

        private final Class<?> type;
        private final Replica replica;
        private final AbstractEntityPersister persister;
        private final Map<String, String> mastersNames;
        private final List<FilledAttribute> attributes = new ArrayList<>();

        private Reader(SessionFactoryImplementor sessions, Class<?> type, Replica replica) {
            this.type = type;
            this.replica = replica;
            this.persister = (AbstractEntityPersister)
                    sessions.getRuntimeMetamodels().getMappingMetamodel().getEntityDescriptor(type);
            this.mastersNames = mapping();
            persister.forEachAttributeMapping(attribute -> read(List.of(attribute)));
            Set<String> unknown = new TreeSet<>(mastersNames.keySet());
            attributes.forEach(attribute -> unknown.remove(attribute.name()));
            if (persister.getIdentifierPropertyName() != null) {
                unknown.remove(persister.getIdentifierPropertyName());
            }
            if (!unknown.isEmpty()) {
                throw new CqrsConfigurationException("@Map of " + type.getName() + ": there is no property "
                        + unknown.iterator().next() + ", only "
                        + attributes.stream().map(FilledAttribute::name).collect(Collectors.joining(", ")));
            }
        }

        private ReplicaDefinition definition(Function<Class<? extends ReplicaHandler<?>>, ReplicaHandler<?>> handlers) {
            boolean handled = replica.handler() != Replica.None.class;
            if (replica.customSerialization() && !handled) {
                throw new CqrsConfigurationException("@Replica of " + type.getName()
                        + " has a custom serialization and no handler that knows it: name one");
            }
            Map<String, String> fields = new HashMap<>();
            for (FilledAttribute attribute : attributes) {
                String column = attribute.column();
                if (!isStamp(attribute) && fields.put(column, attribute.field()) != null) {
                    throw new CqrsConfigurationException(
                            type.getName() + ": column " + column + " is mapped twice, once by " + attribute.name());
                }
            }
            try {
                return new ReplicaDefinition(
                        CqrsId.of(replica.value()),
                        persister.getTableName(),
                        KeyColumns.of(persister).stream().map(Reader::unquoted).toList(),
                        replica.customSerialization() ? Map.of() : fields,
                        replica.customSerialization() ? Set.of() : Set.copyOf(mastersNames.values()),
                        false,
                        replica.order(),
                        replica.onlyDirectSyncs(),
                        handled ? handlers.apply(replica.handler()) : null);
            } catch (IllegalArgumentException e) {
                throw new CqrsConfigurationException("@Replica of " + type.getName() + ": " + e.getMessage(), e);
            }
        }

        private EntityModel model() {
            requireWritable();
            EntityIdentifierMapping id = persister.getIdentifierMapping();
            List<AttributeMapping> parts = id instanceof BasicValuedModelPart ? List.of() : parts(id);
            return new EntityModel(
                    type,
                    new KeyMaker(id, parts),
                    keyNames(id, parts),
                    attributes.stream().filter(one -> !isStamp(one)).toList(),
                    stamp(REVISION),
                    stamp(UPDATED),
                    replica.customSerialization());
        }

        private Map<String, String> keyNames(EntityIdentifierMapping id, List<AttributeMapping> parts) {
            if (id instanceof BasicValuedModelPart) {
                String name = id.getAttributeName();
                return Map.of(mastersNames.getOrDefault(name, WireNames.snakeCase(name)), name);
            }
            Map<String, String> names = new HashMap<>();
            for (AttributeMapping part : parts) {
                names.put(
                        mastersNames.getOrDefault(part.getAttributeName(), wireName(List.of(part))),
                        part.getAttributeName());
            }
            return names;
        }

        private List<AttributeMapping> parts(EntityIdentifierMapping id) {
            if (id instanceof CompositeIdentifierMapping composite
                    && composite
                                    .getMappedIdEmbeddableTypeDescriptor()
                                    .getJavaType()
                                    .getJavaTypeClass()
                            != type) {
                List<AttributeMapping> parts = KeyColumns.parts(composite.getMappedIdEmbeddableTypeDescriptor());
                if (parts.stream().allMatch(BasicValuedModelPart.class::isInstance)) {
                    return parts;
                }
            }
            throw new CqrsConfigurationException("@Replica of " + type.getName()
                    + " has a handler and an id that holds others, or has no class: make it an embeddable or an id class"
                    + " of plain values");
        }

        /** Hibernate writes what hooks do: what it would leave out or change by itself would be wrong unseen. */
        private void requireWritable() {
            String what = "@Replica of " + type.getName() + " has a handler, and ";
            if (!persister.isMutable()) {
                throw new CqrsConfigurationException(what + "is immutable: Hibernate would not update it");
            }
            if (persister.isVersioned()) {
                throw new CqrsConfigurationException(
                        what + "a @Version, which Hibernate would count by itself: leave the annotation out");
            }
            if (generatesId()) {
                throw new CqrsConfigurationException(
                        what + "a generated id: it is the master's, take the generator out");
            }
            for (FilledAttribute one : attributes) {
                AttributeMapping attribute = one.path().get(one.path().size() - 1);
                if (attribute instanceof ToOneAttributeMapping reference && !reference.isReferenceToPrimaryKey()) {
                    throw new CqrsConfigurationException(what + one.name()
                            + " refers to a column that is no id: make it a field of the column's type");
                }
                if (!attribute.getAttributeMetadata().isInsertable()
                        || !attribute.getAttributeMetadata().isUpdatable()) {
                    throw new CqrsConfigurationException(
                            what + one.name() + " is not insertable and updatable: Hibernate would not write it");
                }
            }
        }

        private boolean generatesId() {
            for (Class<?> one = type; one != null; one = one.getSuperclass()) {
                if (Stream.<AccessibleObject>concat(
                                Arrays.stream(one.getDeclaredFields()), Arrays.stream(one.getDeclaredMethods()))
                        .anyMatch(member -> member.isAnnotationPresent(GeneratedValue.class))) {
                    return true;
                }
            }
            return false;
        }

        private FilledAttribute stamp(String column) {
            return attributes.stream()
                    .filter(one -> one.column().equals(column))
                    .findFirst()
                    .orElseThrow(() -> new CqrsConfigurationException("@Replica of " + type.getName()
                            + " has a handler and no attribute of column " + column + ": extend ReplicaEntity"));
        }

        private static boolean isStamp(FilledAttribute attribute) {
            return attribute.column().equals(REVISION) || attribute.column().equals(UPDATED);
        }

        private void read(List<AttributeMapping> path) {
            AttributeMapping attribute = path.get(path.size() - 1);
            if (attribute instanceof PluralAttributeMapping) {
                return; // a collection is no column
            }
            if (attribute.getPropertyAccess().getGetter().getMember() == null) {
                return; // Hibernate's own, of an id class
            }
            if (attribute instanceof EmbeddableValuedModelPart embedded) {
                if (attribute.getJavaType().getJavaTypeClass().isRecord() && replica.handler() != Replica.None.class) {
                    throw new CqrsConfigurationException(type.getName() + "." + attribute.getAttributeName()
                            + " is a record, which can't be filled field by field: make it a class, or leave the handler"
                            + " out");
                }
                embedded.getEmbeddableTypeDescriptor().forEachAttributeMapping(part -> {
                    List<AttributeMapping> longer = new ArrayList<>(path);
                    longer.add(part);
                    read(List.copyOf(longer));
                });
                return;
            }
            List<String> columns = new ArrayList<>();
            attribute.forEachSelectable((place, column) -> columns.add(unquoted(column.getSelectionExpression())));
            if (columns.size() > 1) {
                throw new CqrsConfigurationException(
                        type.getName() + "." + attribute.getAttributeName() + " has " + columns.size()
                                + " columns: a replica's field fills one, map the parts as fields of their own");
            }
            if (columns.size() == 1) {
                String field = mastersNames.getOrDefault(FilledAttribute.name(path), wireName(path));
                attributes.add(new FilledAttribute(field, columns.get(0), path));
            }
        }

        private Map<String, String> mapping() {
            Map<String, String> names = new HashMap<>();
            for (io.cqrs.replica.Map one : replica.mapping()) {
                if (names.put(one.replica(), one.master()) != null) {
                    throw new CqrsConfigurationException(
                            "@Map of " + type.getName() + ": property " + one.replica() + " is mapped twice");
                }
            }
            return names;
        }

        /** The column's name where the entity gives one, else the path in snake case: what the master does too. */
        private String wireName(List<AttributeMapping> path) {
            String column = overridden(path);
            if (column.isEmpty()) {
                Column own = element(path.get(path.size() - 1)).getAnnotation(Column.class);
                column = own == null ? "" : own.name();
            }
            return column.isEmpty()
                    ? path.stream()
                            .map(step -> WireNames.snakeCase(step.getAttributeName()))
                            .collect(Collectors.joining("_"))
                    : unquoted(column);
        }

        private String overridden(List<AttributeMapping> path) {
            for (int i = 0; i < path.size() - 1; i++) {
                String rest = path.subList(i + 1, path.size()).stream()
                        .map(AttributeMapping::getAttributeName)
                        .collect(Collectors.joining("."));
                for (AttributeOverride override : element(path.get(i)).getAnnotationsByType(AttributeOverride.class)) {
                    if (override.name().equals(rest)) {
                        return override.column().name();
                    }
                }
            }
            return "";
        }

        private AnnotatedElement element(AttributeMapping attribute) {
            Member member = attribute.getPropertyAccess().getGetter().getMember();
            return member instanceof AnnotatedElement element ? element : type;
        }

        private static String unquoted(String column) {
            boolean quoted = column.length() > 2 && (column.startsWith("\"") || column.startsWith("`"));
            return quoted ? column.substring(1, column.length() - 1) : column;
        }
    }
}
