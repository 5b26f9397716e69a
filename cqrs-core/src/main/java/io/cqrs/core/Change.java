package io.cqrs.core;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One committed change of one entity, as the master captured it and the replicas apply it.
 *
 * <p>Field values are what JSON can hold: null, {@code Boolean}, {@code Long}, {@code BigInteger}, {@code BigDecimal},
 * {@code String}, {@code List} and {@code Map}. Immutable as long as nobody changes nested lists and maps.
 *
 * @param signal what happened
 * @param key whose change it is
 * @param stamp where it stands among the entity's changes
 * @param data the entity's fields by their names on the wire, without revision and time; for a delete what the master
 *     adds to it
 * @param previous tracked fields that changed, with their values before the transaction; null where nothing is tracked
 * @param correlationId what the caller gave to tie messages together, or null
 * @param meta what the master's {@code cqrsMeta} gave, or null
 * @param forced applied even where the replica has a later state: the way back after a master was restored from a
 *     backup
 */
public record Change(
        Signal signal,
        EntityKey key,
        Stamp stamp,
        Map<String, @Nullable Object> data,
        @Nullable Map<String, @Nullable Object> previous,
        @Nullable String correlationId,
        @Nullable Map<String, @Nullable Object> meta,
        boolean forced) {

    /** Copies the maps. */
    public Change {
        Objects.requireNonNull(signal, "signal");
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(stamp, "stamp");
        data = copy(data);
        previous = previous == null ? null : copy(previous);
        meta = meta == null ? null : copy(meta);
    }

    /** Returns a change of nothing but the entity's state: no previous data, correlation id or meta, not forced. */
    public static Change of(Signal signal, EntityKey key, Stamp stamp, Map<String, @Nullable Object> data) {
        return new Change(signal, key, stamp, data, null, null, null, false);
    }

    /** Returns this change with other previous data. */
    public Change withPrevious(@Nullable Map<String, @Nullable Object> other) {
        return new Change(signal, key, stamp, data, other, correlationId, meta, forced);
    }

    /** Returns this change, forced or not. */
    public Change withForced(boolean other) {
        return other == forced ? this : new Change(signal, key, stamp, data, previous, correlationId, meta, other);
    }

    /** Names the change without its data: model, key, signal and stamp. */
    @Override
    public String toString() {
        return signal + " " + key + " at " + stamp.updated() + " revision " + stamp.revision();
    }

    private static Map<String, @Nullable Object> copy(Map<String, @Nullable Object> map) {
        return Collections.unmodifiableMap(new LinkedHashMap<>(map));
    }
}
