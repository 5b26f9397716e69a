package io.cqrs.replica.hibernate;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.replica.Replica;
import io.cqrs.replica.ReplicaDefinition;
import io.cqrs.transport.WireNames;
import jakarta.persistence.Column;
import jakarta.persistence.EntityManagerFactory;
import java.lang.reflect.AnnotatedElement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.hibernate.engine.spi.SessionFactoryImplementor;
import org.hibernate.persister.entity.AbstractEntityPersister;

/** Finds the entities of a persistence unit that carry {@link Replica}, and which columns their fields fill. */
public final class EntityDefinitions {

    private static final Set<String> STAMP = Set.of("cqrs_revision", "cqrs_updated");

    private EntityDefinitions() {}

    /**
     * Reads the declarations.
     *
     * @throws CqrsConfigurationException if one is wrong, naming the class, the attribute and the way out
     */
    public static List<ReplicaDefinition> of(EntityManagerFactory factory) {
        SessionFactoryImplementor sessions = factory.unwrap(SessionFactoryImplementor.class);
        List<ReplicaDefinition> definitions = new ArrayList<>();
        sessions.getMetamodel().getEntities().forEach(entity -> {
            Replica replica = entity.getJavaType().getAnnotation(Replica.class);
            if (replica != null) {
                definitions.add(definition(sessions, entity.getJavaType(), replica));
            }
        });
        return definitions;
    }

    private static ReplicaDefinition definition(SessionFactoryImplementor sessions, Class<?> type, Replica replica) {
        AbstractEntityPersister persister = (AbstractEntityPersister)
                sessions.getRuntimeMetamodels().getMappingMetamodel().getEntityDescriptor(type);
        Map<String, String> mastersNames = mapping(type, persister, replica);
        Map<String, String> fields = new HashMap<>();
        for (String property : persister.getPropertyNames()) {
            String[] columns = persister.getPropertyColumnNames(property);
            boolean stamp = columns.length == 1 && STAMP.contains(unquoted(columns[0]));
            if (columns.length == 0 || stamp) {
                continue; // a collection, or one of ours
            }
            if (columns.length > 1) {
                throw new CqrsConfigurationException(type.getName() + "." + property + " has " + columns.length
                        + " columns: a replica's field fills one, map the parts as fields of their own");
            }
            String field = mastersNames.getOrDefault(property, wireName(sessions, type, property));
            String other = fields.put(unquoted(columns[0]), field);
            if (other != null) {
                throw new CqrsConfigurationException(
                        type.getName() + ": column " + columns[0] + " is mapped twice, once by " + property);
            }
        }
        try {
            return new ReplicaDefinition(
                    CqrsId.of(replica.value()), persister.getTableName(), fields, false, replica.order());
        } catch (IllegalArgumentException e) {
            throw new CqrsConfigurationException("@Replica of " + type.getName() + ": " + e.getMessage(), e);
        }
    }

    private static Map<String, String> mapping(Class<?> type, AbstractEntityPersister persister, Replica replica) {
        Set<String> properties = new HashSet<>(List.of(persister.getPropertyNames()));
        String id = persister.getIdentifierPropertyName();
        if (id != null) {
            properties.add(id);
        }
        Map<String, String> names = new HashMap<>();
        for (io.cqrs.replica.Map one : replica.mapping()) {
            if (!properties.contains(one.replica())) {
                throw new CqrsConfigurationException("@Map of " + type.getName() + ": there is no property "
                        + one.replica() + ", only " + properties);
            }
            if (names.put(one.replica(), one.master()) != null) {
                throw new CqrsConfigurationException(
                        "@Map of " + type.getName() + ": property " + one.replica() + " is mapped twice");
            }
        }
        return names;
    }

    /** The column's name where the entity gives one, else the property in snake case: what the master does too. */
    private static String wireName(SessionFactoryImplementor sessions, Class<?> type, String property) {
        var member = sessions.getMetamodel().entity(type).getAttribute(property).getJavaMember();
        if (member instanceof AnnotatedElement element) {
            Column column = element.getAnnotation(Column.class);
            if (column != null && !column.name().isEmpty()) {
                return unquoted(column.name());
            }
        }
        return WireNames.snakeCase(property);
    }

    private static String unquoted(String column) {
        boolean quoted = column.length() > 2 && (column.startsWith("\"") || column.startsWith("`"));
        return quoted ? column.substring(1, column.length() - 1) : column;
    }
}
