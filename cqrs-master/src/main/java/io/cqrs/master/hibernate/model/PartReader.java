package io.cqrs.master.hibernate.model;

import io.cqrs.core.SerializationException;
import io.cqrs.master.CqrsField;
import io.cqrs.master.hibernate.model.MasterField.Embedded;
import io.cqrs.master.hibernate.model.MasterField.Part;
import io.cqrs.master.hibernate.model.MasterField.Single;
import io.cqrs.master.hibernate.model.MasterField.Writes;
import io.cqrs.transport.WireNames;
import jakarta.persistence.AttributeOverride;
import java.lang.reflect.AnnotatedElement;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.hibernate.annotations.ColumnTransformer;
import org.hibernate.generator.Generator;
import org.hibernate.metamodel.mapping.AttributeMapping;
import org.hibernate.metamodel.mapping.BasicValuedModelPart;
import org.hibernate.metamodel.mapping.CollectionPart;
import org.hibernate.metamodel.mapping.CompositeIdentifierMapping;
import org.hibernate.metamodel.mapping.EmbeddableMappingType;
import org.hibernate.metamodel.mapping.EmbeddableValuedModelPart;
import org.hibernate.metamodel.mapping.EntityIdentifierMapping;
import org.hibernate.metamodel.mapping.ForeignKeyDescriptor;
import org.hibernate.metamodel.mapping.ModelPart;
import org.hibernate.metamodel.mapping.PluralAttributeMapping;
import org.hibernate.metamodel.mapping.SelectableMapping;
import org.hibernate.metamodel.mapping.internal.ToOneAttributeMapping;
import org.hibernate.persister.entity.EntityPersister;
import org.jspecify.annotations.Nullable;

/** Finds names, columns and wire forms of attributes, as Hibernate maps them. */
final class PartReader {

    /** Has no annotations. */
    private static final AnnotatedElement NOTHING = PartReader.class;

    /** Returns the annotations of an attribute; one that Hibernate made up has none. */
    static AnnotatedElement element(AttributeMapping attribute) {
        return isMadeUp(attribute)
                ? NOTHING
                : (AnnotatedElement) attribute.getPropertyAccess().getGetter().getMember();
    }

    /** Says whether no class has the attribute: Hibernate adds some of its own, as for an id class. */
    private static boolean isMadeUp(AttributeMapping attribute) {
        return attribute.getPropertyAccess().getGetter().getMember() == null;
    }

    /** Says whether the attribute is sent where nobody lists it: a collection only if it says so itself. */
    static boolean isSent(AttributeMapping attribute) {
        return attribute instanceof PluralAttributeMapping ? isAsked(attribute) : isWritten(attribute);
    }

    private static boolean isAsked(AttributeMapping collection) {
        return element(collection).isAnnotationPresent(CqrsField.class);
    }

    /**
     * Says whether an embeddable's attribute is sent. Nobody can leave one out by listing fields: so what surely has no column of
     * the row is, and anything else that is unfit is refused.
     */
    private static boolean isSentWithin(AttributeMapping attribute) {
        if (attribute instanceof BasicValuedModelPart basic) {
            return !basic.isFormula();
        }
        if (attribute instanceof ToOneAttributeMapping reference) {
            return reference.getSideNature() == ForeignKeyDescriptor.Nature.KEY;
        }
        return !(attribute instanceof PluralAttributeMapping) || isAsked(attribute);
    }

    /** Says whether Hibernate writes the attribute into the row: else what the entity holds says nothing of the row. */
    private static boolean isWritten(AttributeMapping attribute) {
        if (isMadeUp(attribute)) {
            return false;
        }
        if (attribute instanceof BasicValuedModelPart basic) {
            return !basic.isFormula() && (basic.isInsertable() || basic.isUpdateable() || generator(attribute) != null);
        }
        if (attribute instanceof ToOneAttributeMapping reference) {
            return reference.getSideNature() == ForeignKeyDescriptor.Nature.KEY
                    && keyColumns(reference).stream()
                            .anyMatch(column -> column.isInsertable() || column.isUpdateable());
        }
        return true;
    }

    /** An embeddable's attributes give the generator of another one. */
    private static @Nullable Generator generator(AttributeMapping attribute) {
        return attribute.getDeclaringType() instanceof EmbeddableMappingType ? null : attribute.getGenerator();
    }

    /**
     * Reads an attribute of an entity.
     *
     * @throws SerializationException if it has no form on the wire, saying why
     */
    Part part(AttributeMapping attribute) {
        return part(attribute, List.of(attribute), PartReader::isSentWithin);
    }

    private Part part(AttributeMapping attribute, List<AttributeMapping> path, Predicate<AttributeMapping> sentWithin) {
        if (attribute instanceof EmbeddableValuedModelPart embedded) {
            EmbeddableMappingType type = embedded.getEmbeddableTypeDescriptor();
            SelectableMapping whole = type.getAggregateMapping();
            return whole == null
                    ? embedded(type, path, sentWithin)
                    : new Single(
                            name(path),
                            dotted(path),
                            WireForms.object(byColumn(type)),
                            List.of(column(whole)),
                            writes(List.of(whole), null));
        }
        if (!isWritten(attribute)) {
            throw new SerializationException("is not written by Hibernate, so that what it holds may not be the row's");
        }
        ColumnTransformer transformer = element(attribute).getAnnotation(ColumnTransformer.class);
        if (transformer != null && !transformer.write().isEmpty()) {
            throw new SerializationException(
                    "is written by an expression of its own, so that what it holds is not what the row" + " has");
        }
        if (attribute instanceof BasicValuedModelPart basic) {
            Writes writes = writes(List.of(basic), generator(attribute));
            return new Single(name(path), dotted(path), basic(basic, attribute), List.of(column(basic)), writes);
        }
        if (attribute instanceof ToOneAttributeMapping reference) {
            return reference(reference, path);
        }
        if (attribute instanceof PluralAttributeMapping plural) {
            return new Single(name(path), dotted(path), collection(plural), columns(plural), Writes.ALL, true);
        }
        throw new SerializationException("refers to entities of any kind, which has no form on the wire");
    }

    private Embedded embedded(
            EmbeddableMappingType type, List<AttributeMapping> path, Predicate<AttributeMapping> sentWithin) {
        List<Integer> places = declaredOrder(type).stream()
                .filter(place -> sentWithin.test(type.getAttributeMapping(place)))
                .toList();
        List<Part> parts = new ArrayList<>();
        for (int place : places) {
            List<AttributeMapping> longer = new ArrayList<>(path);
            longer.add(type.getAttributeMapping(place));
            parts.add(part(type.getAttributeMapping(place), longer, sentWithin));
        }
        return new Embedded(type, places, parts);
    }

    /** Within JSON, attributes are called by their columns. */
    private Embedded byColumn(EmbeddableMappingType type) {
        List<Integer> places = declaredOrder(type);
        List<Part> parts = new ArrayList<>();
        for (int place : places) {
            AttributeMapping attribute = type.getAttributeMapping(place);
            if (!(attribute instanceof BasicValuedModelPart basic)) {
                throw new SerializationException("has an embeddable within its JSON, which has no form on the wire");
            }
            WireForm form = required(WireForms.inner(basic.getJdbcMapping(), column(basic)), attribute);
            parts.add(new Single(basic.getSelectableName(), basic.getPartName(), form, List.of(), Writes.ALL));
        }
        return new Embedded(type, places, parts);
    }

    private Single reference(ToOneAttributeMapping reference, List<AttributeMapping> path) {
        if (!reference.isReferenceToPrimaryKey()) {
            throw new SerializationException("refers to another column than the key of "
                    + reference.getEntityMappingType().getEntityName() + ", which has no form on the wire");
        }
        MasterKey key = key(reference.getEntityMappingType().getEntityPersister());
        List<SelectableMapping> columns = keyColumns(reference);
        return new Single(
                name(path),
                dotted(path),
                WireForms.reference(key),
                columns.stream().map(PartReader::column).toList(),
                writes(columns, null));
    }

    /** What Hibernate or the database makes of it is in the instance, when it was made. */
    private static Writes writes(List<? extends SelectableMapping> columns, @Nullable Generator generator) {
        boolean updated = generator != null && generator.generatesOnUpdate();
        if (!updated && !columns.stream().allMatch(SelectableMapping::isUpdateable)) {
            return Writes.INSERTS;
        }
        boolean inserted = generator != null && generator.generatesOnInsert();
        return inserted || columns.stream().allMatch(SelectableMapping::isInsertable) ? Writes.ALL : Writes.UPDATES;
    }

    private static List<SelectableMapping> keyColumns(ToOneAttributeMapping reference) {
        List<SelectableMapping> columns = new ArrayList<>();
        reference.getForeignKeyDescriptor().getKeyPart().forEachSelectable((index, column) -> columns.add(column));
        return columns;
    }

    private WireForm basic(BasicValuedModelPart basic, ModelPart attribute) {
        return required(WireForms.basic(basic.getJdbcMapping(), column(basic)), attribute);
    }

    private static WireForm required(@Nullable WireForm form, ModelPart attribute) {
        if (form == null) {
            throw new SerializationException(
                    "is a " + attribute.getJavaType().getJavaTypeClass().getName() + ", which has no form on the wire");
        }
        return form;
    }

    private WireForm collection(PluralAttributeMapping plural) {
        WireForm element = element(plural.getElementDescriptor());
        boolean map = Map.class.isAssignableFrom(plural.getJavaType().getJavaTypeClass());
        CollectionPart index = plural.getIndexDescriptor();
        return map && index != null ? WireForms.map(element(index), element) : WireForms.collection(element);
    }

    private static List<Column> columns(PluralAttributeMapping plural) {
        List<Column> columns = new ArrayList<>();
        plural.getElementDescriptor().forEachSelectable((index, column) -> columns.add(column(column)));
        return columns;
    }

    private WireForm element(CollectionPart part) {
        if (part instanceof EmbeddableValuedModelPart embedded) {
            EmbeddableMappingType type = embedded.getEmbeddableTypeDescriptor();
            return WireForms.object(embedded(type, List.of(), PartReader::isSentWithin));
        }
        @Nullable
        WireForm form =
                part instanceof BasicValuedModelPart basic ? WireForms.basic(basic.getJdbcMapping(), null) : null;
        if (form == null) {
            throw new SerializationException(
                    "is a collection of entities, which has no form on the wire: use a serializer");
        }
        return form;
    }

    /**
     * Reads an entity's id.
     *
     * @throws SerializationException if it has no form on the wire, saying why
     */
    MasterKey key(EntityPersister entity) {
        EntityIdentifierMapping id = entity.getIdentifierMapping();
        if (id instanceof BasicValuedModelPart basic) {
            String name = id instanceof AttributeMapping attribute
                    ? name(List.of(attribute))
                    : WireNames.snakeCase(id.getAttributeName());
            return new MasterKey(
                    new Single(name, id.getAttributeName(), basic(basic, id), List.of(column(basic)), Writes.ALL));
        }
        if (!(id instanceof CompositeIdentifierMapping composite)) {
            throw new SerializationException("is an id that has no form on the wire");
        }
        return new MasterKey(embedded(composite.getMappedIdEmbeddableTypeDescriptor(), List.of(), every -> true));
    }

    /** Hibernate sorts an embeddable's attributes by name; its class says what its author meant. */
    static List<Integer> declaredOrder(EmbeddableMappingType type) {
        List<String> declared = WireNames.declared(type.getJavaType().getJavaTypeClass());
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < type.getNumberOfAttributeMappings(); i++) {
            order.add(i);
        }
        order.sort(Comparator.comparingInt(
                place -> declared.indexOf(type.getAttributeMapping(place).getAttributeName())));
        return List.copyOf(order);
    }

    private static Column column(SelectableMapping mapping) {
        return Column.of(mapping.getContainingTableExpression(), mapping.getSelectionExpression());
    }

    /** By annotation, of an override before the attribute's own; else the path, each step in snake case. */
    private static String name(List<AttributeMapping> path) {
        AnnotatedElement last = element(path.get(path.size() - 1));
        CqrsField field = last.getAnnotation(CqrsField.class);
        if (field != null && !field.value().isEmpty()) {
            return field.value();
        }
        @Nullable String column = overridden(path);
        if (column == null) {
            jakarta.persistence.Column own = last.getAnnotation(jakarta.persistence.Column.class);
            column = own == null ? "" : own.name();
        }
        return column.isEmpty()
                ? String.join(
                        "_",
                        path.stream()
                                .map(step -> WireNames.snakeCase(step.getAttributeName()))
                                .toList())
                : column.replace("`", "").replace("\"", "");
    }

    private static String dotted(List<AttributeMapping> path) {
        return path.stream().map(AttributeMapping::getAttributeName).collect(Collectors.joining("."));
    }

    private static @Nullable String overridden(List<AttributeMapping> path) {
        for (int i = 0; i < path.size() - 1; i++) {
            String rest = dotted(path.subList(i + 1, path.size()));
            for (AttributeOverride override : element(path.get(i)).getAnnotationsByType(AttributeOverride.class)) {
                if (override.name().equals(rest) && !override.column().name().isEmpty()) {
                    return override.column().name();
                }
            }
        }
        return null;
    }
}
