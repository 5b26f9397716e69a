package io.cqrs.replica.hibernate;

import io.cqrs.core.EntityKey;
import io.cqrs.core.SerializationException;
import java.lang.reflect.Constructor;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.metamodel.mapping.AttributeMapping;
import org.hibernate.metamodel.mapping.BasicValuedModelPart;
import org.hibernate.metamodel.mapping.CompositeIdentifierMapping;
import org.hibernate.metamodel.mapping.EntityIdentifierMapping;
import org.jspecify.annotations.Nullable;

/** Makes ids of keys: values, embeddables or instances of id classes, which may be records. Immutable. */
final class KeyMaker {

    private final EntityIdentifierMapping id;
    private final List<AttributeMapping> parts;

    /**
     * Takes what makes the ids of an entity.
     *
     * @param parts those of an id that has several, in the order of its class, all plain values
     */
    KeyMaker(EntityIdentifierMapping id, List<AttributeMapping> parts) {
        this.id = id;
        this.parts = parts;
    }

    /**
     * Returns the id, or null where the key is.
     *
     * @throws SerializationException if the key does not fit
     */
    @Nullable
    Object make(EntityKey key, SharedSessionContractImplementor session) {
        if (id instanceof BasicValuedModelPart basic) {
            return FilledAttribute.basic(basic.getJdbcMapping(), key.value(), session);
        }
        if (key.parts().size() != parts.size()) {
            throw new SerializationException("it has " + key.parts().size() + " part(s), not " + parts.size());
        }
        @Nullable Object[] values = new @Nullable Object[parts.size()];
        for (int i = 0; i < values.length; i++) {
            BasicValuedModelPart part = (BasicValuedModelPart) parts.get(i);
            values[i] = FilledAttribute.basic(part.getJdbcMapping(), key.parts().get(i), session);
        }
        Class<?> type = ((CompositeIdentifierMapping) id)
                .getMappedIdEmbeddableTypeDescriptor()
                .getJavaType()
                .getJavaTypeClass();
        return type.isRecord() ? ofRecord(type, values) : ofClass(type, values);
    }

    private static Object ofRecord(Class<?> type, @Nullable Object[] values) {
        Class<?>[] types = Arrays.stream(type.getRecordComponents())
                .map(RecordComponent::getType)
                .toArray(Class<?>[]::new);
        try {
            Constructor<?> constructor = type.getDeclaredConstructor(types);
            constructor.setAccessible(true);
            return constructor.newInstance(values);
        } catch (ReflectiveOperationException e) {
            throw new SerializationException(type.getName() + " can't be made", e);
        }
    }

    private Object ofClass(Class<?> type, @Nullable Object[] values) {
        Object made = FilledAttribute.create(type);
        for (int i = 0; i < values.length; i++) {
            parts.get(i).getPropertyAccess().getSetter().set(made, values[i]);
        }
        return made;
    }
}
