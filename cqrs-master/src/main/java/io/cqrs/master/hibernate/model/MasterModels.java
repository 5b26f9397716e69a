package io.cqrs.master.hibernate.model;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.master.Master;
import io.cqrs.master.MasterSerializer;
import jakarta.persistence.metamodel.EntityType;
import java.lang.annotation.Annotation;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.hibernate.engine.spi.SessionFactoryImplementor;
import org.hibernate.persister.entity.EntityPersister;
import org.hibernate.resource.beans.spi.ManagedBeanRegistry;
import org.jspecify.annotations.Nullable;

/** Reads the {@link Master} declarations of a session factory. */
public final class MasterModels {

    private final SessionFactoryImplementor factory;
    private final Class<? extends Annotation> updatedMark;

    private MasterModels(SessionFactoryImplementor factory, Class<? extends Annotation> updatedMark) {
        this.factory = factory;
        this.updatedMark = updatedMark;
    }

    /**
     * Reads all declarations.
     *
     * @param updatedMark the annotation of the attribute that holds the time
     * @return the models by the entity's name
     * @throws CqrsConfigurationException if one is wrong, naming class, attribute and fix
     */
    public static Map<String, MasterModel> read(
            SessionFactoryImplementor factory, Class<? extends Annotation> updatedMark) {
        return new MasterModels(factory, updatedMark).read();
    }

    private Map<String, MasterModel> read() {
        Map<String, MasterModel> byEntity = new HashMap<>();
        Map<CqrsId, MasterModel> byId = new HashMap<>();
        Set<Class<?>> entities = factory.getMetamodel().getEntities().stream()
                .map(EntityType::getJavaType)
                .collect(Collectors.toSet());
        for (Class<?> type : entities) {
            @Nullable Class<?> declaring = declaring(type, entities);
            if (declaring != null) {
                EntityPersister entity =
                        factory.getRuntimeMetamodels().getMappingMetamodel().getEntityDescriptor(type);
                MasterModel model = new ModelReader(entity, declaring, this::serialization, updatedMark).read();
                MasterModel other = byId.putIfAbsent(model.cqrsId(), model);
                if (other != null && other.type() != model.type()) {
                    throw new CqrsConfigurationException(other.type().getName() + " and "
                            + model.type().getName() + " both have the cqrs id " + model.cqrsId()
                            + ": give one of them another");
                }
                byEntity.put(entity.getEntityName(), model);
            }
        }
        return Map.copyOf(byEntity);
    }

    /** Returns the nearest class with the annotation, upwards, or null. */
    private static @Nullable Class<?> declaring(Class<?> type, Set<Class<?>> entities) {
        for (Class<?> above = type; above != null; above = above.getSuperclass()) {
            if (above.isAnnotationPresent(Master.class)) {
                if (!entities.contains(above)) {
                    throw new CqrsConfigurationException("@Master of " + above.getName()
                            + " is on no entity, but above one, " + type.getName() + ": put it on the entity");
                }
                return above;
            }
        }
        return null;
    }

    private MasterModel.@Nullable Serialization serialization(Master master, Class<?> declaring) {
        @Nullable String graph = master.entityGraph().isEmpty() ? null : master.entityGraph();
        if (master.serializer() == MasterSerializer.class) {
            if (graph != null) {
                throw new CqrsConfigurationException(
                        declaring.getName() + " sets an entityGraph without a serializer: add one, or take it out");
            }
            return null;
        }
        if (graph != null && factory.findEntityGraphByName(graph) == null) {
            throw new CqrsConfigurationException(declaring.getName() + " has no @NamedEntityGraph called " + graph
                    + ", which @Master names: correct the name");
        }
        return new MasterModel.Serialization(serializer(master, declaring), graph);
    }

    @SuppressWarnings("unchecked") // the annotation can't be checked by the compiler, a wrong entity fails when cast
    private MasterSerializer<Object> serializer(Master master, Class<?> declaring) {
        try {
            return (MasterSerializer<Object>) factory.getServiceRegistry()
                    .requireService(ManagedBeanRegistry.class)
                    .getBean(master.serializer())
                    .getBeanInstance();
        } catch (RuntimeException e) {
            throw new CqrsConfigurationException(
                    "serializer " + master.serializer().getName() + " of " + declaring.getName()
                            + " can't be made: give it a constructor without parameters (" + e.getMessage() + ")",
                    e);
        }
    }
}
