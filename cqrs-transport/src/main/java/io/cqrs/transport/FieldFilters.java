package io.cqrs.transport;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.FieldFilter;
import io.cqrs.core.SerializationException;
import java.util.Map;

/** Filters in JSON, as the commands take them. Stateless. */
public final class FieldFilters {

    private FieldFilters() {}

    /**
     * Parses a filter.
     *
     * @throws CqrsConfigurationException if it is no JSON object, or a lookup or its value is wrong, naming it
     */
    @SuppressWarnings("unchecked") // the parser makes maps of no other kind
    public static FieldFilter parse(String json) {
        Object value;
        try {
            value = JsonText.read(json);
        } catch (SerializationException e) {
            throw new CqrsConfigurationException("Bad filter kwargs! it is no JSON", e);
        }
        if (value instanceof Map<?, ?>) {
            return FieldFilter.of((Map<String, ?>) value);
        }
        throw new CqrsConfigurationException("Bad filter kwargs! it is no JSON object such as {\"price__gt\": 10}");
    }
}
