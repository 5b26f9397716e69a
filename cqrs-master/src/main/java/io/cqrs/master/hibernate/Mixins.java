package io.cqrs.master.hibernate;

import io.cqrs.master.MasterMixin;
import io.cqrs.master.hibernate.model.MasterModel;
import java.lang.reflect.Method;
import java.util.Arrays;
import org.hibernate.FlushMode;
import org.hibernate.Session;
import org.hibernate.bytecode.enhance.spi.LazyPropertyInitializer;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.persister.entity.EntityPersister;
import org.hibernate.type.Type;
import org.jspecify.annotations.Nullable;

/**
 * Finds whom to ask about a row: the instance that was written, where it still is as it was written. It may not be, once its
 * session forgot it, or where a stateless one used it for the next row; then one is made of what was written. Belongs to
 * one transaction.
 */
final class Mixins {

    private static final MasterMixin DEFAULTS = new MasterMixin() {};

    private static final ClassValue<Boolean> ANSWERS = new ClassValue<>() {
        @Override
        protected Boolean computeValue(Class<?> type) {
            return Arrays.stream(MasterMixin.class.getMethods())
                    .anyMatch(method -> overrides(type, method.getName(), method.getParameterTypes()));
        }
    };

    private final SharedSessionContractImplementor session;

    Mixins(SharedSessionContractImplementor session) {
        this.session = session;
    }

    /** Says whether a class answers in a way of its own. */
    static boolean overrides(Class<?> type, String name, Class<?>... parameters) {
        try {
            Method method = type.getMethod(name, parameters);
            return method.getDeclaringClass() != MasterMixin.class;
        } catch (NoSuchMethodException e) {
            return false;
        }
    }

    /** Returns the instance if it may have answers of its own, or null. */
    static @Nullable Object asked(Object entity) {
        return answers(entity) ? entity : null;
    }

    /** Says whether an instance may have answers of its own. */
    static boolean answers(Object entity) {
        return entity instanceof MasterMixin && ANSWERS.get(entity.getClass());
    }

    /** Returns whom to ask about an instance that was read. */
    static MasterMixin of(@Nullable Object entity) {
        return entity instanceof MasterMixin mixin ? mixin : DEFAULTS;
    }

    /**
     * Returns whom to ask about a row with this state.
     *
     * @param entity the instance that was written, if it is to be {@linkplain #asked asked}
     */
    MasterMixin of(MasterModel model, Object id, @Nullable Object entity, Object[] state) {
        if (!(entity instanceof MasterMixin mixin)) {
            return DEFAULTS;
        }
        return isAsWritten(id, entity, state) ? mixin : made(model, id, state);
    }

    /** Returns whom to ask about a row that had this state. */
    MasterMixin made(MasterModel model, Object id, Object[] state) {
        EntityPersister persister = session.getFactory().getMappingMetamodel().getEntityDescriptor(model.entityName());
        Object past = persister.instantiate(id, session);
        persister.setPropertyValues(past, state);
        return of(past);
    }

    private boolean isAsWritten(Object id, Object entity, Object[] state) {
        if (session instanceof Session stateful
                && stateful.getHibernateFlushMode() != FlushMode.MANUAL
                && session.getPersistenceContextInternal().getEntry(entity) != null) {
            return true;
        }
        EntityPersister persister = session.getEntityPersister(null, entity);
        Type[] types = persister.getPropertyTypes();
        Object[] values = persister.getValues(entity);
        boolean same = persister.getIdentifierType().isEqual(id, persister.getIdentifier(entity, session));
        for (int i = 0; same && i < types.length; i++) {
            same = types[i].isCollectionType()
                    || values[i] == state[i]
                    || (isFetched(values[i])
                            && isFetched(state[i])
                            && types[i].isEqual(values[i], state[i], session.getFactory()));
        }
        return same;
    }

    private static boolean isFetched(@Nullable Object value) {
        return value != LazyPropertyInitializer.UNFETCHED_PROPERTY;
    }
}
