package io.cqrs.tools.config;

import com.fasterxml.jackson.databind.JsonNode;
import io.cqrs.core.CqrsConfigurationException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Values of the configuration file in the shapes that they must have. Stateless. */
final class Yaml {

    private Yaml() {}

    /**
     * Returns the entries of a mapping, none where it is missing.
     *
     * @param where its place in the file
     * @throws CqrsConfigurationException if it is anything else
     */
    static Set<Map.Entry<String, JsonNode>> entries(String where, JsonNode node) {
        if (!node.isMissingNode() && !node.isNull() && !node.isObject()) {
            throw new CqrsConfigurationException(where + " is no mapping, as in " + where + ": { name: value }");
        }
        return node.properties();
    }

    /** The same, of texts by name. */
    static Map<String, String> texts(String where, JsonNode node) {
        Map<String, String> texts = new LinkedHashMap<>();
        entries(where, node).forEach(one -> texts.put(one.getKey(), value(where + "." + one.getKey(), one.getValue())));
        return texts;
    }

    /** The same, of keys that there are. */
    static void requireKnown(String where, JsonNode node, Set<String> known) {
        for (Map.Entry<String, JsonNode> entry : entries(where, node)) {
            if (!known.contains(entry.getKey())) {
                throw new CqrsConfigurationException("unknown configuration key " + where + "." + entry.getKey()
                        + ": there are " + new TreeSet<>(known));
            }
        }
    }

    /**
     * Returns a single value as text, null where it is missing.
     *
     * @throws CqrsConfigurationException if it is a list or a mapping
     */
    static @Nullable String text(String where, JsonNode node) {
        return node.isMissingNode() ? null : value(where, node);
    }

    /** The same, another text where it is missing. */
    static String text(String where, JsonNode node, String other) {
        return node.isMissingNode() ? other : value(where, node);
    }

    /** Returns a list's single values as texts. */
    static List<String> list(String where, JsonNode node) {
        List<String> texts = new ArrayList<>();
        node.forEach(one -> texts.add(value(where, one)));
        return texts;
    }

    private static String value(String where, JsonNode node) {
        if (!node.isValueNode()) {
            throw new CqrsConfigurationException(
                    where + " is a " + (node.isArray() ? "list" : "mapping") + ": it takes a single value");
        }
        return node.asText();
    }
}
