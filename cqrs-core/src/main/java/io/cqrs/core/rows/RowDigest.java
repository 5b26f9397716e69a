package io.cqrs.core.rows;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a row looks like.
 *
 * @param key its key's parts as text
 * @param revision its revision, or null where it has none
 * @param updated its time in PostgreSQL's text form, in UTC, or null where it has none
 * @param digest a hash of its fields
 */
public record RowDigest(
        List<String> key, @Nullable Long revision, @Nullable String updated, String digest) {

    /** Copies the key. */
    public RowDigest {
        key = List.copyOf(key);
    }
}
