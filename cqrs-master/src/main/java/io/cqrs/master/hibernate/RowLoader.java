package io.cqrs.master.hibernate;

import io.cqrs.master.hibernate.ChangeSet.RowId;
import io.cqrs.master.hibernate.model.MasterModel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.jspecify.annotations.Nullable;

/** Loads what serializers need, and rows of which not all is known, only if there are such. Belongs to one transaction. */
final class RowLoader implements AutoCloseable {

    private final SharedSessionContractImplementor session;
    private @Nullable Instances instances;

    RowLoader(SharedSessionContractImplementor session) {
        this.session = session;
    }

    Map<RowId, Object> load(MessageFactory factory, List<Map.Entry<RowId, RowHistory>> chunk) {
        Map<MasterModel, List<Object>> ids = new LinkedHashMap<>();
        for (Map.Entry<RowId, RowHistory> row : chunk) {
            @Nullable MasterModel model = row.getValue().savedModel();
            if (model != null
                    && (model.serialization() != null || row.getValue().lacksValues())
                    && factory.saves(row.getKey().id(), row.getValue())) {
                ids.computeIfAbsent(model, one -> new ArrayList<>())
                        .add(row.getKey().id());
            }
        }
        if (instances != null) {
            instances.clear();
        }
        Map<RowId, Object> loaded = new LinkedHashMap<>();
        ids.forEach((model, wanted) ->
                instances().load(model, wanted).forEach((id, entity) -> loaded.put(new RowId(model, id), entity)));
        return loaded;
    }

    private Instances instances() {
        if (instances == null) {
            instances = new Instances(session);
        }
        return instances;
    }

    @Override
    public void close() {
        if (instances != null) {
            instances.close();
        }
    }
}
