package io.cqrs.master.hibernate;

import io.cqrs.master.hibernate.model.MasterModel;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.hibernate.Hibernate;
import org.hibernate.Session;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.query.SelectionQuery;
import org.jspecify.annotations.Nullable;

/** Loads entities as the transaction has them, many in one query, apart from the user's own instances. */
final class Instances implements AutoCloseable {

    private final Session reader;
    private final SharedSessionContractImplementor session;

    Instances(SharedSessionContractImplementor session) {
        this.session = session;
        this.reader = Sessions.openReader(session);
    }

    /** Returns the instances that exist, by id, with the model's entity graph if it has one. */
    Map<Object, Object> load(MasterModel model, Collection<?> ids) {
        SelectionQuery<Object> query = reader.createSelectionQuery(
                        "select e from " + model.type().getName() + " e where id(e) in (:ids)", Object.class)
                .setParameterList("ids", ids);
        MasterModel.@Nullable Serialization serialization = model.serialization();
        if (serialization != null && serialization.entityGraph() != null) {
            query.setHint("jakarta.persistence.loadgraph", reader.getEntityGraph(serialization.entityGraph()));
        }
        List<Object> found = query.getResultList();
        Map<Object, Object> byId = new HashMap<>();
        for (Object entity : found) {
            byId.put(reader.getIdentifier(entity), unproxied(entity));
        }
        return byId;
    }

    /** Returns the instance itself of a query's result: what another of the same result refers to lazily comes as its proxy. */
    static Object unproxied(Object result) {
        return Hibernate.unproxy(result);
    }

    /** Returns an instance's state, in the order of Hibernate's properties. */
    Object[] state(Object entity) {
        return session.getEntityPersister(null, entity).getValues(entity);
    }

    /** Forgets all instances. */
    void clear() {
        reader.clear();
    }

    @Override
    public void close() {
        reader.close();
    }
}
