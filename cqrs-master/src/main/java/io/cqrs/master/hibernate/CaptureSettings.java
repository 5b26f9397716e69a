package io.cqrs.master.hibernate;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.master.spi.MessageContext;
import java.time.Duration;
import java.time.InstantSource;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What a persistence unit's properties say of capture; see {@link CqrsIntegrator} for their names.
 *
 * @param schema whose outbox
 * @param clock the wall clock
 * @param context what the application adds to each message
 * @param expiry after what time a message is no longer worth applying, or null for never
 * @param maxMessageBytes the largest message
 * @param dml what happens to statements that capture can't see
 */
record CaptureSettings(
        CqrsSchema schema,
        InstantSource clock,
        MessageContext context,
        @Nullable Duration expiry,
        int maxMessageBytes,
        UncapturedDml dml) {

    static final String PREFIX = "cqrs.";
    static final int DEFAULT_MAX_MESSAGE_BYTES = 16 << 20;

    private static final Set<String> KEYS = Set.of(
            "cqrs.schema",
            "cqrs.clock",
            "cqrs.context",
            "cqrs.expiry",
            "cqrs.max_message_bytes",
            "cqrs.uncaptured_dml");

    /**
     * Reads the settings.
     *
     * @throws CqrsConfigurationException if one is unknown or wrong, naming it
     */
    static CaptureSettings of(Map<String, Object> properties) {
        for (String key : properties.keySet()) {
            // Hibernate mixes the system's properties in, which are others' business.
            if (key.startsWith(PREFIX) && !KEYS.contains(key) && System.getProperty(key) == null) {
                throw new CqrsConfigurationException(
                        "unknown persistence property " + key + ": there are " + new TreeSet<>(KEYS));
            }
        }
        return new CaptureSettings(
                CqrsSchema.named(properties
                        .getOrDefault("cqrs.schema", CqrsSchema.DEFAULT_NAME)
                        .toString()),
                instance(properties, "cqrs.clock", InstantSource.class, InstantSource.system()),
                instance(properties, "cqrs.context", MessageContext.class, new MessageContext() {}),
                expiry(properties.get("cqrs.expiry")),
                maxMessageBytes(properties.get("cqrs.max_message_bytes")),
                dml(properties.get("cqrs.uncaptured_dml")));
    }

    private static <T> T instance(Map<String, Object> properties, String key, Class<T> type, T other) {
        Object value = properties.get(key);
        if (value == null) {
            return other;
        }
        try {
            Class<?> named = value instanceof Class<?> known
                    ? known
                    : value instanceof String name
                            ? Class.forName(name, true, Thread.currentThread().getContextClassLoader())
                            : null;
            Object instance =
                    named == null ? value : named.getDeclaredConstructor().newInstance();
            if (type.isInstance(instance)) {
                return type.cast(instance);
            }
        } catch (ReflectiveOperationException e) {
            throw new CqrsConfigurationException("property " + key + ": " + value + " can't be made: " + e, e);
        }
        throw new CqrsConfigurationException(
                "property " + key + " must be a " + type.getName() + ", its class or the name of its class");
    }

    private static @Nullable Duration expiry(@Nullable Object value) {
        if (value == null) {
            return null;
        }
        try {
            Duration expiry = value instanceof Duration known ? known : Duration.parse(value.toString());
            if (expiry.compareTo(Duration.ofSeconds(1)) >= 0) {
                return expiry;
            }
        } catch (DateTimeParseException e) {
            throw new CqrsConfigurationException(
                    "property cqrs.expiry is \"" + value + "\", which is no duration such as PT24H", e);
        }
        throw new CqrsConfigurationException("property cqrs.expiry is " + value + ": it is a second or more");
    }

    private static int maxMessageBytes(@Nullable Object value) {
        if (value == null) {
            return DEFAULT_MAX_MESSAGE_BYTES;
        }
        try {
            int bytes = Integer.parseInt(value.toString());
            if (bytes >= 1024) {
                return bytes;
            }
        } catch (NumberFormatException e) {
            throw new CqrsConfigurationException(
                    "property cqrs.max_message_bytes is \"" + value + "\", which is no whole number", e);
        }
        throw new CqrsConfigurationException("property cqrs.max_message_bytes is " + value + ": it is 1024 or more");
    }

    private static UncapturedDml dml(@Nullable Object value) {
        if (value == null) {
            return UncapturedDml.WARN;
        }
        try {
            return value instanceof UncapturedDml known
                    ? known
                    : UncapturedDml.valueOf(value.toString().toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw new CqrsConfigurationException(
                    "property cqrs.uncaptured_dml is \"" + value + "\": it is one of "
                            + Arrays.toString(UncapturedDml.values()),
                    e);
        }
    }
}
