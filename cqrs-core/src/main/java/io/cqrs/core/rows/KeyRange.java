package io.cqrs.core.rows;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Keys in their order, from behind one up to another, and what the rows with them look like.
 *
 * @param after the key before the first, or null for the beginning
 * @param upTo the last key, or null for the end
 * @param count how many rows there are
 * @param digests a hash of all keys and revisions, then one of each field
 */
public record KeyRange(
        @Nullable List<String> after, @Nullable List<String> upTo, int count, List<String> digests) {

    /** Copies the digests. */
    public KeyRange {
        digests = List.copyOf(digests);
    }
}
