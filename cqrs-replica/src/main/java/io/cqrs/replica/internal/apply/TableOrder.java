package io.cqrs.replica.internal.apply;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Puts tables in foreign-key order, parents first; where the keys form a circle, as declared. Stateless. */
final class TableOrder {

    private TableOrder() {}

    static List<ReplicaTable> parentsFirst(List<ReplicaTable> tables) {
        List<ReplicaTable> ordered = new ArrayList<>();
        Set<ReplicaTable> visited = new HashSet<>();
        for (ReplicaTable table : tables) {
            visit(table, tables, visited, ordered);
        }
        return ordered;
    }

    private static void visit(
            ReplicaTable table, List<ReplicaTable> tables, Set<ReplicaTable> visited, List<ReplicaTable> ordered) {
        if (visited.add(table)) {
            for (ReplicaTable other : tables) {
                if (table.parents().contains(other.oid())) {
                    visit(other, tables, visited, ordered);
                }
            }
            ordered.add(table);
        }
    }
}
