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
import org.jspecify.annotations.Nullable;

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
        Yaml.entries("masters", masters).forEach(entry -> tables.add(table(entry.getKey(), entry.getValue())));
        return tables;
    }

    private static MasterTable table(String id, JsonNode node) {
        String where = "masters." + id;
        Yaml.requireKnown(where, node, KEYS);
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
                            Yaml.text(where + ".filter", node.path("filter")),
                            constant(where, node, "when_excluded", WhenExcluded.KEEP))
                    .withOnTruncate(constant(where, node, "on_truncate", OnTruncate.DELETE))
                    .withExpiry(expiry(where, Yaml.text(where + ".expiry", node.path("expiry"))))
                    .withStamp(
                            Yaml.text(where + ".revision", node.path("revision"), MasterTable.REVISION),
                            Yaml.text(where + ".updated", node.path("updated"), MasterTable.UPDATED));
        } catch (IllegalArgumentException e) {
            throw new CqrsConfigurationException(where + ": " + e.getMessage(), e);
        }
    }

    /** A list of columns, or names on the wire by column. */
    private static Map<String, String> fields(String where, JsonNode node) {
        if (node.isObject()) {
            return Yaml.texts(where + ".fields", node);
        }
        Map<String, String> fields = new LinkedHashMap<>();
        if (node.isArray()) {
            Yaml.list(where + ".fields", node).forEach(one -> fields.put(one, one));
        } else if (!node.isMissingNode()) {
            throw new CqrsConfigurationException(
                    where + ".fields is no list of columns, and no mapping of columns to names");
        }
        return fields;
    }

    private static List<String> texts(String where, JsonNode node, String key) {
        JsonNode value = node.path(key);
        if (value.isTextual()) {
            return List.of(value.asText());
        }
        if (!value.isArray() && !value.isMissingNode()) {
            throw new CqrsConfigurationException(where + "." + key + " is no column, and no list of columns");
        }
        return Yaml.list(where + "." + key, value);
    }

    private static <E extends Enum<E>> E constant(String where, JsonNode node, String key, E other) {
        String text = Yaml.text(where + "." + key, node.path(key), other.name());
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

    private static @Nullable Duration expiry(String where, @Nullable String text) {
        if (text == null) {
            return null;
        }
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
