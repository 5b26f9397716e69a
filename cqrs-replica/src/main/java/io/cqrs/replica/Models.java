package io.cqrs.replica;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** The models of a service. Stateless. */
final class Models {

    private Models() {}

    static Map<CqrsId, ReplicaDefinition> byId(List<ReplicaDefinition> definitions) {
        if (definitions.isEmpty()) {
            throw new CqrsConfigurationException(
                    "no replica is declared: annotate an entity with @Replica, or add a definition");
        }
        Map<CqrsId, ReplicaDefinition> models = new LinkedHashMap<>();
        for (ReplicaDefinition definition : definitions) {
            if (models.put(definition.cqrsId(), definition) != null) {
                throw new CqrsConfigurationException(
                        "two replicas of " + definition.cqrsId() + " are declared: one is allowed in a service");
            }
        }
        return Collections.unmodifiableMap(models);
    }

    /** Returns what is wanted of what is declared; all of it where nothing is named. */
    static Set<CqrsId> subscribed(Set<CqrsId> declared, Set<CqrsId> wanted) {
        Set<CqrsId> unknown = new TreeSet<>(wanted);
        unknown.removeAll(declared);
        if (!unknown.isEmpty()) {
            throw new CqrsConfigurationException(
                    "no replica of " + unknown.iterator().next() + " is declared, only of " + new TreeSet<>(declared));
        }
        return wanted.isEmpty() ? declared : wanted;
    }
}
