package io.cqrs.transport.pipe;

import io.cqrs.core.SerializationException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Keys of JSON as the text of their parts. Stateless. */
public final class KeyTexts {

    /** The digits of the largest PostgreSQL numeric: 1e1000000000 must not fill the memory. */
    private static final int MOST_ZEROS = 150_000;

    private KeyTexts() {}

    /**
     * Returns the parts of a key.
     *
     * @param key a value, or the list of a composite key's
     * @throws SerializationException if it is none
     */
    public static List<String> of(@Nullable Object key) {
        List<String> parts = new ArrayList<>();
        for (Object part : key instanceof List<?> several ? several : Arrays.asList(key)) {
            if (part == null || part instanceof List || part instanceof Map) {
                throw new SerializationException("a key is a value, or a list of values");
            }
            parts.add(part instanceof BigDecimal number ? plain(number) : part.toString());
        }
        if (parts.isEmpty()) {
            throw new SerializationException("a key has no parts");
        }
        return List.copyOf(parts);
    }

    private static String plain(BigDecimal number) {
        if (number.scale() > MOST_ZEROS || (long) number.precision() - number.scale() > MOST_ZEROS) {
            throw new SerializationException("a key has a number of more digits than PostgreSQL's");
        }
        return number.toPlainString();
    }
}
