package io.cqrs.transport;

import io.cqrs.core.SerializationException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Takes typed values out of a JSON object, naming the key where one is missing or of a wrong type. */
record Fields(Map<String, @Nullable Object> values) {

    Object required(String key) {
        Object value = values.get(key);
        if (value == null) {
            throw new SerializationException(
                    "required key " + key + (values.containsKey(key) ? " is null" : " is missing"));
        }
        return value;
    }

    String text(String key) {
        if (required(key) instanceof String text) {
            return text;
        }
        throw wrongType(key, "a string");
    }

    @Nullable
    String textOrNull(String key) {
        return values.get(key) == null ? null : text(key);
    }

    long integer(String key) {
        if (required(key) instanceof Long number) {
            return number;
        }
        throw wrongType(key, "an integer");
    }

    int retries() {
        if (values.get("retries") == null) {
            return 0;
        }
        long retries = integer("retries");
        if (retries < 0 || retries > Integer.MAX_VALUE) {
            throw new SerializationException("retries " + retries + " is out of range");
        }
        return (int) retries;
    }

    Map<String, @Nullable Object> object(String key) {
        Map<String, @Nullable Object> object = objectOrNull(key);
        if (object == null) {
            throw new SerializationException(
                    "required key " + key + (values.containsKey(key) ? " is null" : " is missing"));
        }
        return object;
    }

    @SuppressWarnings("unchecked") // the parser makes maps of no other kind
    @Nullable
    Map<String, @Nullable Object> objectOrNull(String key) {
        Object value = values.get(key);
        if (value == null) {
            return null;
        }
        if (value instanceof Map<?, ?>) {
            return (Map<String, @Nullable Object>) value;
        }
        throw wrongType(key, "an object");
    }

    private static SerializationException wrongType(String key, String expected) {
        return new SerializationException("key " + key + " is not " + expected);
    }
}
