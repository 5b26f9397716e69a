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
import org.hibernate.persister.entity.EntityPersister;
import org.jspecify.annotations.Nullable;

/** Makes ids of keys: values, embeddables or instances of id classes, which may be records. */
final class KeyMaker {

    private final EntityIdentifierMapping id;
    private final SharedSessionContractImplementor session;

    KeyMaker(EntityPersister persister, SharedSessionContractImplementor session) {
        this.id = persister.getIdentifierMapping();
        this.session = session;
    }

    /**
     * Returns the id, or null where the key is.
     *
     * @throws SerializationException if the key does not fit
     */
    @Nullable
    Object make(EntityKey key) {
        if (id instanceof BasicValuedModelPart basic) {
            return FilledAttribute.basic(basic.getJdbcMapping(), key.value(), session);
        }
        CompositeIdentifierMapping composite = (CompositeIdentifierMapping) id;
        List<AttributeMapping> parts = KeyColumns.parts(composite.getMappedIdEmbeddableTypeDescriptor());
        if (key.parts().size() != parts.size()) {
            throw new SerializationException("it has " + key.parts().size() + " part(s), not " + parts.size());
        }
        @Nullable Object[] values = new @Nullable Object[parts.size()];
        for (int i = 0; i < values.length; i++) {
            BasicValuedModelPart part = (BasicValuedModelPart) parts.get(i);
            values[i] = FilledAttribute.basic(part.getJdbcMapping(), key.parts().get(i), session);
        }
        return instance(
                composite.getMappedIdEmbeddableTypeDescriptor().getJavaType().getJavaTypeClass(), parts, values);
    }

    private static Object instance(Class<?> type, List<AttributeMapping> parts, @Nullable Object[] values) {
        try {
            if (type.isRecord()) {
                Class<?>[] types = Arrays.stream(type.getRecordComponents())
                        .map(RecordComponent::getType)
                        .toArray(Class<?>[]::new);
                return accessible(type.getDeclaredConstructor(types)).newInstance(values);
            }
            Object made = accessible(type.getDeclaredConstructor()).newInstance();
            for (int i = 0; i < values.length; i++) {
                parts.get(i).getPropertyAccess().getSetter().set(made, values[i]);
            }
            return made;
        } catch (ReflectiveOperationException e) {
            throw new SerializationException(
                    type.getName() + " can't be made: give it a constructor without parameters", e);
        }
    }

    private static <T> Constructor<T> accessible(Constructor<T> constructor) {
        constructor.setAccessible(true);
        return constructor;
    }
}
