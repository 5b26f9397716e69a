package io.cqrs.tools.config;

import com.fasterxml.jackson.databind.JsonNode;
import io.cqrs.core.CqrsConfigurationException;
import java.util.List;
import java.util.Map;

/** Reads what an application sets of its persistence unit: where its names come from, how its values are kept. Stateless. */
final class UnitProperties {

    private static final List<String> KNOWN = List.of("hibernate.", "jakarta.persistence.", "cqrs.");

    /** Connections are those of the file, tables are nobody's to make here, and the command line works in one schema. */
    private static final List<String> OURS = List.of(
            "hibernate.connection.",
            "hibernate.hbm2ddl.",
            "jakarta.persistence.jdbc.",
            "jakarta.persistence.schema-generation.",
            "cqrs.schema");

    private UnitProperties() {}

    /**
     * Returns the properties by name.
     *
     * @throws CqrsConfigurationException if one is none of Hibernate's or capture's, or not the application's to set here
     */
    static Map<String, String> of(JsonNode node) {
        Map<String, String> properties = Yaml.texts("properties", node);
        for (String name : properties.keySet()) {
            if (KNOWN.stream().noneMatch(name::startsWith)) {
                throw new CqrsConfigurationException("properties." + name
                        + " is no property of a persistence unit: they begin with " + String.join(", ", KNOWN));
            }
            if (OURS.stream().anyMatch(name::startsWith)) {
                throw new CqrsConfigurationException(
                        "properties." + name + " is not taken: commands connect by database, make"
                                + " no tables of an application's, and work in schema cqrs");
            }
        }
        return Map.copyOf(properties);
    }
}
