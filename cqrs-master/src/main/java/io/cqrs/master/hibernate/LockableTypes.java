package io.cqrs.master.hibernate;

import io.cqrs.core.CqrsConfigurationException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.hibernate.engine.spi.SessionFactoryImplementor;
import org.hibernate.metamodel.mapping.EntityMappingType;
import org.hibernate.persister.entity.UnionSubclassEntityPersister;

/** Tells by which classes the rows of an entity can be locked: PostgreSQL locks no row of a union. Stateless. */
final class LockableTypes {

    private LockableTypes() {}

    /**
     * Returns the class itself, or for a hierarchy of a table per class its concrete ones, by name.
     *
     * @throws CqrsConfigurationException if one of those has rows and subclasses
     */
    static <T> List<Class<? extends T>> of(SessionFactoryImplementor factory, Class<T> type) {
        EntityMappingType root = factory.getMappingMetamodel().getEntityDescriptor(type);
        if (!(root instanceof UnionSubclassEntityPersister)) {
            return List.of(type);
        }
        List<Class<? extends T>> concrete = new ArrayList<>();
        add(root, type, concrete);
        concrete.sort(Comparator.comparing(Class::getName));
        return concrete;
    }

    private static <T> void add(EntityMappingType one, Class<T> type, List<Class<? extends T>> concrete) {
        boolean hasRows = !one.isAbstract();
        if (hasRows && !one.getSubMappingTypes().isEmpty()) {
            throw new CqrsConfigurationException(one.getEntityName()
                    + " has rows and subclasses with tables of their own, whose rows can't be locked together: make it"
                    + " abstract, or name a subclass");
        }
        if (hasRows) {
            concrete.add(one.getJavaType().getJavaTypeClass().asSubclass(type));
        }
        for (EntityMappingType sub : one.getSubMappingTypes()) {
            add(sub, type, concrete);
        }
    }
}
