package io.cqrs.tools.config;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.master.UnroutablePolicy;
import io.cqrs.replica.Order;
import io.cqrs.replica.ReplicaDefinition;
import io.cqrs.transport.Wire;
import io.cqrs.transport.rabbit.RabbitConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Reads {@link CqrsConfig}; what it does not know it refuses, naming the key. */
public final class ConfigLoader {

    /** The file that is read when none is named and it exists. */
    public static final Path DEFAULT_FILE = Path.of("cqrs.yaml");

    /** All settings but the models, by their place in the file; {@code a.b} is the variable {@code CQRS_A_B}. */
    public static final Set<String> KEYS = Stream.concat(
                    Stream.of(
                            "transport.url",
                            "transport.exchange",
                            "transport.wire",
                            "transport.unroutable",
                            "database.url",
                            "database.user",
                            "database.password",
                            "queue"),
                    WorkerOptions.KEYS.stream())
            .collect(Collectors.toUnmodifiableSet());

    private static final Set<String> SECTIONS = Set.of("masters", "replicas", "properties");
    private static final Set<String> REPLICA_KEYS = Set.of("table", "key", "mapping", "order", "only_direct_syncs");
    private static final Pattern VARIABLE = Pattern.compile("\\$\\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?}");

    private static final YAMLMapper YAML = new YAMLMapper(YAMLFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(YAMLParser.Feature.EMPTY_STRING_AS_NULL)
            .build());

    private final Map<String, String> environment;

    /** Reads with these environment variables. */
    public ConfigLoader(Map<String, String> environment) {
        this.environment = Map.copyOf(environment);
    }

    /**
     * Loads the configuration.
     *
     * @param file the file, or null for {@link #DEFAULT_FILE} if it exists
     * @param options settings that override all others, by key
     * @throws CqrsConfigurationException if the file is missing, is no YAML, or holds an unknown key or a wrong value
     */
    public CqrsConfig load(@Nullable Path file, Map<String, String> options) {
        JsonNode tree = read(file);
        Map<String, String> settings = new HashMap<>();
        flatten("", tree, settings);
        for (String key : KEYS) {
            String variable = environment.get(variable(key));
            if (variable != null) {
                settings.put(key, variable);
            }
        }
        settings.putAll(options);
        return new CqrsConfig(
                settings.get("transport.url"),
                settings.getOrDefault("transport.exchange", RabbitConfig.DEFAULT_EXCHANGE),
                choice("transport.wire", settings.getOrDefault("transport.wire", "single"), Wire.class),
                choice(
                        "transport.unroutable",
                        settings.getOrDefault("transport.unroutable", "hold"),
                        UnroutablePolicy.class),
                settings.get("database.url"),
                settings.get("database.user"),
                settings.get("database.password"),
                settings.get("queue"),
                new WorkerOptions(settings),
                MasterTables.of(tree.path("masters")),
                replicas(tree.path("replicas")),
                UnitProperties.of(tree.path("properties")));
    }

    /** Returns the environment variable of a key. */
    public static String variable(String key) {
        return "CQRS_" + key.replace('.', '_').toUpperCase(Locale.ROOT);
    }

    private JsonNode read(@Nullable Path named) {
        Path file = named == null ? DEFAULT_FILE : named;
        if (!Files.exists(file)) {
            if (named != null) {
                throw new CqrsConfigurationException("configuration file " + file + " does not exist");
            }
            return MissingNode.getInstance();
        }
        try {
            JsonNode tree = YAML.readTree(Files.readString(file));
            if (!tree.isObject() && !tree.isMissingNode() && !tree.isNull()) {
                throw new CqrsConfigurationException(file + " holds no mapping of keys");
            }
            substitute(tree, file);
            return tree;
        } catch (JacksonException e) {
            throw new CqrsConfigurationException(file + " is no YAML" + place(e.getLocation()) + ": " + what(e));
        } catch (IOException e) {
            throw new CqrsConfigurationException(file + " can't be read: " + e.getMessage(), e);
        }
    }

    /** The parser's own words quote the lines around, passwords included: neither they nor it as the cause get out. */
    private static String what(JacksonException error) {
        String words = error.getOriginalMessage();
        return words.startsWith("Duplicate field")
                ? words
                : "a text that has a colon, a # or a quote in it stands in quotes, and what begins has to end";
    }

    private static String place(@Nullable JsonLocation location) {
        return location == null ? "" : " at line " + location.getLineNr() + ", column " + location.getColumnNr();
    }

    /**
     * Puts variables into values, once they are values: what they hold is never read as YAML. A key without a value is as
     * good as none.
     */
    private void substitute(JsonNode tree, Path file) {
        if (tree instanceof ObjectNode object) {
            boolean unused =
                    object.properties().removeIf(entry -> entry.getValue().isNull());
            object.properties().forEach(entry -> {
                if (entry.getValue().isTextual()) {
                    entry.setValue(TextNode.valueOf(substitute(entry.getValue().asText(), file)));
                } else {
                    substitute(entry.getValue(), file);
                }
            });
        }
    }

    private String substitute(String text, Path file) {
        return VARIABLE.matcher(text).replaceAll(match -> {
            String value = environment.getOrDefault(match.group(1), match.group(2));
            if (value == null) {
                throw new CqrsConfigurationException(file + ": variable " + match.group(1)
                        + " is not set: set it, or write ${" + match.group(1) + ":-default}");
            }
            return Matcher.quoteReplacement(value);
        });
    }

    private static void flatten(String where, JsonNode node, Map<String, String> settings) {
        Yaml.entries(where, node).forEach(entry -> {
            String key = where.isEmpty() ? entry.getKey() : where + "." + entry.getKey();
            if (SECTIONS.contains(key)) {
                return;
            }
            if (KEYS.contains(key)) {
                settings.put(key, Yaml.text(key, entry.getValue()));
            } else if (KEYS.stream().anyMatch(known -> known.startsWith(key + "."))) {
                flatten(key, entry.getValue(), settings);
            } else {
                throw new CqrsConfigurationException("unknown configuration key " + key + ": there are "
                        + new TreeSet<>(KEYS) + ", and of mappings " + new TreeSet<>(SECTIONS));
            }
        });
    }

    private static List<ReplicaDefinition> replicas(JsonNode node) {
        List<ReplicaDefinition> definitions = new ArrayList<>();
        Yaml.entries("replicas", node).forEach(entry -> definitions.add(replica(entry.getKey(), entry.getValue())));
        return definitions;
    }

    private static ReplicaDefinition replica(String id, JsonNode node) {
        String where = "replicas." + id;
        Yaml.requireKnown(where, node, REPLICA_KEYS);
        if (!node.path("table").isTextual()) {
            throw new CqrsConfigurationException(where + ".table is missing: name the replica's table");
        }
        try {
            return ReplicaDefinition.ofTable(
                            CqrsId.of(id),
                            TableName.parse(node.path("table").asText()),
                            Yaml.texts(where + ".mapping", node.path("mapping")),
                            choice(
                                    where + ".order",
                                    Yaml.text(where + ".order", node.path("order"), "updated"),
                                    Order.class))
                    .withKey(columns(where, node.path("key")))
                    .withOnlyDirectSyncs(flag(where + ".only_direct_syncs", node.path("only_direct_syncs")));
        } catch (IllegalArgumentException e) {
            throw new CqrsConfigurationException(where + ": " + e.getMessage(), e);
        }
    }

    /** Constants in small letters. */
    private static <E extends Enum<E>> E choice(String key, String name, Class<E> type) {
        List<String> names = new ArrayList<>();
        for (E constant : type.getEnumConstants()) {
            String known = constant.name().toLowerCase(Locale.ROOT);
            if (known.equals(name)) {
                return constant;
            }
            names.add(known);
        }
        throw new CqrsConfigurationException(key + " is \"" + name + "\": it is " + String.join(" or ", names));
    }

    private static List<String> columns(String where, JsonNode node) {
        if (!node.isMissingNode() && !node.isArray()) {
            throw new CqrsConfigurationException(where + ".key is no list of columns, as in [order_id, line]");
        }
        return Yaml.list(where + ".key", node);
    }

    private static boolean flag(String key, JsonNode node) {
        if (!node.isMissingNode() && !node.isBoolean()) {
            throw new CqrsConfigurationException(key + " is \"" + node.asText() + "\": it is true or false");
        }
        return node.asBoolean(false);
    }
}
