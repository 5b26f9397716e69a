package io.cqrs.master.internal.sync;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.core.SerializationException;
import io.cqrs.transport.JsonText;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A key that a sync came to, as the JSON that another one goes on behind: a value, or the list of its parts. */
public final class SyncKey {

    private SyncKey() {}

    /** Writes a key, as it is on the wire. */
    public static String text(Object key) {
        return JsonText.write(key);
    }

    /**
     * Reads the parts of a key, as text.
     *
     * @param count how many there are
     * @throws CqrsConfigurationException if the text is no such key
     */
    public static List<String> parts(CqrsId cqrsId, String json, int count) {
        @Nullable Object key;
        try {
            key = JsonText.read(json);
        } catch (SerializationException e) {
            throw refusal(cqrsId, json, count, e);
        }
        List<?> parts = key instanceof List<?> several ? several : key == null ? List.of() : List.of(key);
        if (parts.size() != count) {
            throw refusal(cqrsId, json, count, null);
        }
        return parts.stream().map(String::valueOf).toList();
    }

    private static CqrsConfigurationException refusal(
            CqrsId cqrsId, String json, int count, @Nullable SerializationException cause) {
        String form = count == 1 ? "5 or \"a\"" : "[5, \"a\"], with " + count + " parts";
        return new CqrsConfigurationException(
                "'" + json + "' is no key of " + cqrsId + " to go on behind, which is JSON like " + form, cause);
    }
}
