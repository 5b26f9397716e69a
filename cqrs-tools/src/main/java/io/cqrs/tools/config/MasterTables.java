package io.cqrs.tools.config;

import com.fasterxml.jackson.databind.JsonNode;
import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.master.MasterTable;
import io.cqrs.master.MasterTable.OnTruncate;
import io.cqrs.master.WhenExcluded;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Reads {@code masters} of the configuration file. Stateless. */
final class MasterTables {

    private static final Set<String> KEYS = Set.of(
            "table",
            "key",
            "fields",
            "tracked",
            "filter",
            "when_excluded",
            "on_truncate",
            "expiry",
            "revision",
            "updated");

    private MasterTables() {}

    static List<MasterTable> of(JsonNode masters) {
        List<MasterTable> tables = new ArrayList<>();
        masters.properties().forEach(entry -> tables.add(table(entry.getKey(), entry.getValue())));
        return tables;
    }

    private static MasterTable table(String id, JsonNode node) {
        String where = "masters." + id;
        for (Map.Entry<String, JsonNode> entry : node.properties()) {
            if (!KEYS.contains(entry.getKey())) {
                throw new CqrsConfigurationException("unknown configuration key " + where + "." + entry.getKey()
                        + ": there are " + new TreeSet<>(KEYS));
            }
        }
        if (!node.path("table").isTextual()) {
            throw new CqrsConfigurationException(where + ".table is missing: name the master's table");
        }
        try {
            return MasterTable.of(
                            CqrsId.of(id), TableName.parse(node.path("table").asText()))
                    .withKey(texts(where, node, "key"))
                    .withFields(fields(where, node.path("fields")))
                    .withTracked(Set.copyOf(texts(where, node, "tracked")))
                    .withFilter(
                            node.path("filter").isMissingNode()
                                    ? null
                                    : node.path("filter").asText(),
                            constant(where, node, "when_excluded", WhenExcluded.KEEP))
                    .withOnTruncate(constant(where, node, "on_truncate", OnTruncate.DELETE))
                    .withExpiry(
                            node.path("expiry").isMissingNode()
                                    ? null
                                    : expiry(where, node.path("expiry").asText()))
                    .withStamp(
                            node.path("revision").asText(MasterTable.REVISION),
                            node.path("updated").asText(MasterTable.UPDATED));
        } catch (IllegalArgumentException e) {
            throw new CqrsConfigurationException(where + ": " + e.getMessage(), e);
        }
    }

    /** A list of columns, or names on the wire by column. */
    private static Map<String, String> fields(String where, JsonNode node) {
        Map<String, String> fields = new LinkedHashMap<>();
        if (node.isObject()) {
            node.properties()
                    .forEach(one -> fields.put(one.getKey(), one.getValue().asText()));
        } else if (node.isArray()) {
            node.forEach(one -> fields.put(one.asText(), one.asText()));
        } else if (!node.isMissingNode()) {
            throw new CqrsConfigurationException(
                    where + ".fields is no list of columns, and no mapping of columns to names");
        }
        return fields;
    }

    private static List<String> texts(String where, JsonNode node, String key) {
        JsonNode value = node.path(key);
        List<String> texts = new ArrayList<>();
        if (value.isArray()) {
            value.forEach(one -> texts.add(one.asText()));
        } else if (value.isTextual()) {
            texts.add(value.asText());
        } else if (!value.isMissingNode()) {
            throw new CqrsConfigurationException(where + "." + key + " is no column, and no list of columns");
        }
        return texts;
    }

    private static <E extends Enum<E>> E constant(String where, JsonNode node, String key, E other) {
        String text = node.path(key).asText(other.name());
        Class<E> type = other.getDeclaringClass();
        try {
            return Enum.valueOf(type, text.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw new CqrsConfigurationException(
                    where + "." + key + " is \"" + text + "\": it is one of "
                            + Arrays.toString(type.getEnumConstants()).toLowerCase(Locale.ROOT),
                    e);
        }
    }

    private static Duration expiry(String where, String text) {
        try {
            Duration expiry = Duration.parse(text);
            if (expiry.compareTo(Duration.ofSeconds(1)) >= 0) {
                return expiry;
            }
        } catch (DateTimeParseException e) {
            throw new CqrsConfigurationException(
                    where + ".expiry is \"" + text + "\", which is no duration such as PT24H", e);
        }
        throw new CqrsConfigurationException(where + ".expiry is " + text + ": it is a second or more");
    }
}
