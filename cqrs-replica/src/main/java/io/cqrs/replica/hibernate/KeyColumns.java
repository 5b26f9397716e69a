package io.cqrs.replica.hibernate;

import io.cqrs.transport.WireNames;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.hibernate.metamodel.mapping.AttributeMapping;
import org.hibernate.metamodel.mapping.CompositeIdentifierMapping;
import org.hibernate.metamodel.mapping.EmbeddableMappingType;
import org.hibernate.metamodel.mapping.EmbeddableValuedModelPart;
import org.hibernate.metamodel.mapping.EntityIdentifierMapping;
import org.hibernate.persister.entity.EntityPersister;

/**
 * The columns of an entity's key in the order in which its class declares the parts, which is that of the wire. Hibernate
 * orders them by name, and the primary keys that it makes by size.
 */
final class KeyColumns {

    private KeyColumns() {}

    static List<String> of(EntityPersister entity) {
        EntityIdentifierMapping id = entity.getIdentifierMapping();
        List<String> columns = new ArrayList<>();
        if (id instanceof CompositeIdentifierMapping composite) {
            add(composite.getMappedIdEmbeddableTypeDescriptor(), columns);
        } else {
            id.forEachSelectable((place, column) -> columns.add(column.getSelectionExpression()));
        }
        return columns;
    }

    /** Returns a key's parts in the order that its class declares them in. */
    static List<AttributeMapping> parts(EmbeddableMappingType type) {
        List<String> declared = WireNames.declared(type.getJavaType().getJavaTypeClass());
        return IntStream.range(0, type.getNumberOfAttributeMappings())
                .mapToObj(type::getAttributeMapping)
                .sorted(Comparator.comparingInt(part -> declared.indexOf(part.getAttributeName())))
                .toList();
    }

    private static void add(EmbeddableMappingType type, List<String> columns) {
        parts(type).forEach(part -> add(part, columns));
    }

    private static void add(AttributeMapping part, List<String> columns) {
        if (part instanceof EmbeddableValuedModelPart embedded) {
            add(embedded.getEmbeddableTypeDescriptor(), columns);
        } else {
            part.forEachSelectable((place, column) -> columns.add(column.getSelectionExpression()));
        }
    }
}
