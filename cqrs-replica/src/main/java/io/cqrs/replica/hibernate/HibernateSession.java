package io.cqrs.replica.hibernate;

import io.cqrs.core.Change;
import io.cqrs.core.CqrsId;
import io.cqrs.core.EntityKey;
import io.cqrs.core.ReplicationException;
import io.cqrs.core.SerializationException;
import io.cqrs.core.Stamp;
import io.cqrs.replica.internal.apply.EntitySession;
import io.cqrs.transport.WireTime;
import jakarta.persistence.EntityManager;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.hibernate.Hibernate;
import org.hibernate.PropertyValueException;
import org.hibernate.Session;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.persister.entity.EntityPersister;
import org.jspecify.annotations.Nullable;

/** The entities of one batch. */
final class HibernateSession implements EntitySession {

    private final Session session;
    private final SharedSessionContractImplementor implementor;
    private final Map<CqrsId, EntityModel> models;

    HibernateSession(Session session, Map<CqrsId, EntityModel> models) {
        this.session = session;
        this.implementor = (SharedSessionContractImplementor) session;
        this.models = models;
    }

    @Override
    public Map<EntityKey, Object> load(CqrsId model, Collection<EntityKey> keys) {
        if (keys.isEmpty()) {
            return Map.of();
        }
        EntityModel known = model(model);
        List<EntityKey> ordered = new ArrayList<>(keys);
        List<Object> ids = ordered.stream().map(key -> id(known, key)).toList();
        List<Object> stale = managed(known, ids);
        List<?> found = session.byMultipleIds(known.type()).multiLoad(ids);
        Map<EntityKey, Object> entities = new HashMap<>();
        for (int i = 0; i < ids.size(); i++) {
            if (found.get(i) != null) {
                entities.put(ordered.get(i), Hibernate.unproxy(found.get(i)));
            }
        }
        stale.forEach(session::refresh);
        return entities;
    }

    /** What was loaded on the way, by a reference or a hook, may be older than the locks of these keys. */
    private List<Object> managed(EntityModel model, List<Object> ids) {
        EntityPersister persister = persister(model);
        List<Object> managed = new ArrayList<>();
        for (Object id : ids) {
            Object entity =
                    implementor.getPersistenceContextInternal().getEntity(implementor.generateEntityKey(id, persister));
            if (entity != null) {
                managed.add(entity);
            }
        }
        if (!managed.isEmpty()) {
            session.flush();
        }
        return managed;
    }

    @Override
    public Object create(EntityKey key) {
        EntityModel model = model(key.cqrsId());
        return persister(model).instantiate(id(model, key), implementor);
    }

    @Override
    public void fill(Object entity, Change change) {
        EntityModel model = model(change.key().cqrsId());
        if (model.custom()) {
            throw new IllegalStateException(model.type().getName()
                    + " has a custom serialization: only its handler can fill it, override create and update");
        }
        Object bare = Hibernate.unproxy(entity);
        for (FilledAttribute attribute : model.attributes()) {
            if (change.data().containsKey(attribute.field())) {
                fill(bare, attribute, change);
            }
        }
    }

    private void fill(Object entity, FilledAttribute attribute, Change change) {
        try {
            attribute.set(entity, change.data().get(attribute.field()), implementor);
        } catch (SerializationException e) {
            throw new ReplicationException(
                    "the change of " + change.key() + ": field " + attribute.field() + ": " + e.getMessage(), e);
        }
    }

    @Override
    public Map<String, @Nullable Object> named(CqrsId model, Map<String, @Nullable Object> data) {
        EntityModel known = model(model);
        if (known.custom()) {
            return data;
        }
        Map<String, @Nullable Object> named = new LinkedHashMap<>();
        known.keyNames().forEach((field, name) -> {
            if (data.containsKey(field)) {
                named.put(name, data.get(field));
            }
        });
        for (FilledAttribute attribute : known.attributes()) {
            if (data.containsKey(attribute.field())) {
                named.put(attribute.name(), data.get(attribute.field()));
            }
        }
        return named;
    }

    @Override
    public void stamp(CqrsId model, Object entity, Stamp stamp) {
        EntityModel known = model(model);
        Object bare = Hibernate.unproxy(entity);
        known.revision().set(bare, stamp.revision().value(), implementor);
        known.updated().set(bare, WireTime.format(stamp.updated()), implementor);
    }

    @Override
    public void persist(Object entity) {
        write(() -> session.persist(entity));
    }

    @Override
    public void flush() {
        write(session::flush);
    }

    private static void write(Runnable action) {
        try {
            action.run();
        } catch (PropertyValueException e) {
            throw new ReplicationException(
                    "attribute " + e.getPropertyName() + " of " + e.getEntityName()
                            + " is null, which its column refuses",
                    e);
        }
    }

    @Override
    public EntityManager manager() {
        return session;
    }

    @Override
    public void commit() {
        session.getTransaction().commit();
    }

    @Override
    public void close() {
        if (session.getTransaction().isActive()) {
            session.getTransaction().rollback();
        }
        session.close();
    }

    private Object id(EntityModel model, EntityKey key) {
        try {
            Object value = model.ids().make(key, implementor);
            if (value != null) {
                return value;
            }
        } catch (SerializationException e) {
            throw new ReplicationException(
                    "the key of " + key + " is none of " + model.type().getName() + ": " + e.getMessage(), e);
        }
        throw new ReplicationException("the key of " + key + " is empty");
    }

    private EntityPersister persister(EntityModel model) {
        return implementor.getFactory().getMappingMetamodel().getEntityDescriptor(model.type());
    }

    private EntityModel model(CqrsId cqrsId) {
        EntityModel model = models.get(cqrsId);
        if (model == null) {
            throw new IllegalArgumentException("no entity is a replica of " + cqrsId + " with hooks");
        }
        return model;
    }
}
