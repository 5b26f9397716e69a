package io.cqrs.replica.hibernate;

import io.cqrs.core.SerializationException;
import io.cqrs.transport.JavaValues;
import io.cqrs.transport.JsonText;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.util.Collection;
import java.util.List;
import org.hibernate.Session;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.metamodel.mapping.AttributeMapping;
import org.hibernate.metamodel.mapping.BasicValuedModelPart;
import org.hibernate.metamodel.mapping.JdbcMapping;
import org.hibernate.metamodel.mapping.internal.ToOneAttributeMapping;
import org.hibernate.type.BasicPluralType;
import org.hibernate.type.SqlTypes;
import org.hibernate.type.descriptor.java.JavaType;
import org.jspecify.annotations.Nullable;

/**
 * An attribute that a field of the master fills.
 *
 * @param field the field's name on the wire
 * @param column the column it is kept in
 * @param path the attribute, behind the embeddables that hold it
 */
record FilledAttribute(String field, String column, List<AttributeMapping> path) {

    /** Returns the attribute's name, with dots within an embeddable. */
    String name() {
        return name(path);
    }

    static String name(List<AttributeMapping> path) {
        return String.join(
                ".", path.stream().map(AttributeMapping::getAttributeName).toList());
    }

    /**
     * Sets the attribute.
     *
     * @throws SerializationException if the value does not fit
     */
    void set(Object entity, @Nullable Object wire, SharedSessionContractImplementor session) {
        Object holder = entity;
        for (AttributeMapping step : path.subList(0, path.size() - 1)) {
            holder = embeddable(step, holder, wire != null);
            if (holder == null) {
                return;
            }
        }
        AttributeMapping last = path.get(path.size() - 1);
        set(last, holder, value(last, wire, session));
    }

    private static @Nullable Object embeddable(AttributeMapping step, Object holder, boolean wanted) {
        Object known = step.getPropertyAccess().getGetter().get(holder);
        if (known != null || !wanted) {
            return known;
        }
        Object created = create(step.getJavaType().getJavaTypeClass());
        set(step, holder, created);
        return created;
    }

    static Object create(Class<?> embeddable) {
        try {
            Constructor<?> constructor = embeddable.getDeclaredConstructor();
            constructor.setAccessible(true);
            return constructor.newInstance();
        } catch (ReflectiveOperationException e) {
            throw new SerializationException(
                    embeddable.getName() + " can't be made by a constructor without parameters", e);
        }
    }

    private static void set(AttributeMapping attribute, Object holder, @Nullable Object value) {
        attribute.getPropertyAccess().getSetter().set(holder, value);
    }

    private static @Nullable Object value(
            AttributeMapping attribute, @Nullable Object wire, SharedSessionContractImplementor session) {
        if (attribute instanceof ToOneAttributeMapping reference) {
            BasicValuedModelPart id = (BasicValuedModelPart)
                    reference.getAssociatedEntityMappingType().getIdentifierMapping();
            Object key = basic(id.getJdbcMapping(), wire, session);
            return key == null
                    ? null
                    : ((Session) session)
                            .getReference(
                                    reference.getAssociatedEntityMappingType().getEntityName(), key);
        }
        Object value = basic(((BasicValuedModelPart) attribute).getJdbcMapping(), wire, session);
        Class<?> type = attribute.getJavaType().getJavaTypeClass();
        if (value == null && type.isPrimitive()) {
            throw new SerializationException(
                    "it is null, and attribute " + attribute.getAttributeName() + " a " + type.getName());
        }
        return value;
    }

    /** Makes the attribute's value of what the row would hold. */
    static @Nullable Object basic(
            JdbcMapping mapping, @Nullable Object wire, SharedSessionContractImplementor session) {
        if (wire == null) {
            return null;
        }
        if (mapping.getJdbcType().getDefaultSqlTypeCode() == SqlTypes.JSON) {
            return session.getFactory()
                    .getSessionFactoryOptions()
                    .getJsonFormatMapper()
                    .fromString(JsonText.write(wire), mapping.getJavaTypeDescriptor(), session);
        }
        if (mapping instanceof BasicPluralType<?, ?> plural && wire instanceof Collection<?> items) {
            return array(mapping, plural.getElementType(), items, session);
        }
        return mapping.convertToDomainValue(
                JavaValues.read(wire, mapping.getJdbcJavaType().getJavaTypeClass()));
    }

    private static @Nullable Object array(
            JdbcMapping mapping, JdbcMapping element, Collection<?> items, SharedSessionContractImplementor session) {
        Object array = Array.newInstance(element.getJavaTypeDescriptor().getJavaTypeClass(), items.size());
        int i = 0;
        for (Object item : items) {
            Array.set(array, i++, basic(element, item, session));
        }
        JavaType<?> type = mapping.getJavaTypeDescriptor();
        return type.wrap(array, session);
    }
}
