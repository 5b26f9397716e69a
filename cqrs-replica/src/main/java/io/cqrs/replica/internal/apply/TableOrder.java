package io.cqrs.replica.internal.apply;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Puts tables in foreign-key order, parents first; where the keys form a circle, as declared. Stateless. */
final class TableOrder {

    private TableOrder() {}

    static List<ModelApplier> parentsFirst(List<ModelApplier> models) {
        List<ModelApplier> ordered = new ArrayList<>();
        Set<ModelApplier> visited = new HashSet<>();
        for (ModelApplier model : models) {
            visit(model, models, visited, ordered);
        }
        return ordered;
    }

    private static void visit(
            ModelApplier model, List<ModelApplier> models, Set<ModelApplier> visited, List<ModelApplier> ordered) {
        if (visited.add(model)) {
            for (ModelApplier other : models) {
                ReplicaTable table = other.table();
                if (table != null && model.parents().contains(table.oid())) {
                    visit(other, models, visited, ordered);
                }
            }
            ordered.add(model);
        }
    }
}
