package io.cqrs.master;

import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.TableName;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Declares a table as a master that triggers capture, whoever writes it. Immutable.
 *
 * @param cqrsId the model, the same in all services
 * @param table the table
 * @param key the columns of the key, in the order of its parts on the wire, unique and not null; the primary key's where empty
 * @param fields the columns to send, each with its name on the wire, the key's among them; all where empty
 * @param tracked the columns whose old values are sent when they change
 * @param filter which rows are sent, as an SQL condition on the table's columns, or null for all; trusted like any DDL
 * @param whenExcluded what is sent for a row that the filter no longer lets through
 * @param onTruncate what a TRUNCATE does
 * @param expiry after what time a message is no longer worth applying, or null for never
 * @param revision the column of the revision
 * @param updated the column of the time
 */
public record MasterTable(
        CqrsId cqrsId,
        TableName table,
        List<String> key,
        Map<String, String> fields,
        Set<String> tracked,
        @Nullable String filter,
        WhenExcluded whenExcluded,
        OnTruncate onTruncate,
        @Nullable Duration expiry,
        String revision,
        String updated) {

    /** The column of the revision unless another is named. */
    public static final String REVISION = "cqrs_revision";

    /** The column of the time unless another is named. */
    public static final String UPDATED = "cqrs_updated";

    /** What a TRUNCATE of the table does. */
    public enum OnTruncate {
        /** It sends a DELETE for each row. */
        DELETE,
        /** It fails. */
        REFUSE
    }

    /** Copies the collections. */
    public MasterTable {
        Objects.requireNonNull(cqrsId, "cqrsId");
        Objects.requireNonNull(table, "table");
        key = List.copyOf(key);
        fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
        tracked = Set.copyOf(tracked);
        Objects.requireNonNull(whenExcluded, "whenExcluded");
        Objects.requireNonNull(onTruncate, "onTruncate");
        Objects.requireNonNull(revision, "revision");
        Objects.requireNonNull(updated, "updated");
    }

    /** Returns a master of all of a table's rows and columns, by its primary key. */
    public static MasterTable of(CqrsId cqrsId, TableName table) {
        return new MasterTable(
                cqrsId,
                table,
                List.of(),
                Map.of(),
                Set.of(),
                null,
                WhenExcluded.KEEP,
                OnTruncate.DELETE,
                null,
                REVISION,
                UPDATED);
    }

    /** Returns this with another key. */
    public MasterTable withKey(List<String> columns) {
        return new MasterTable(
                cqrsId, table, columns, fields, tracked, filter, whenExcluded, onTruncate, expiry, revision, updated);
    }

    /** Returns this with other fields: names on the wire by column. */
    public MasterTable withFields(Map<String, String> names) {
        return new MasterTable(
                cqrsId, table, key, names, tracked, filter, whenExcluded, onTruncate, expiry, revision, updated);
    }

    /** Returns this with other tracked columns. */
    public MasterTable withTracked(Set<String> columns) {
        return new MasterTable(
                cqrsId, table, key, fields, columns, filter, whenExcluded, onTruncate, expiry, revision, updated);
    }

    /** Returns this with another filter, and what is sent for rows that it no longer lets through. */
    public MasterTable withFilter(@Nullable String condition, WhenExcluded when) {
        return new MasterTable(
                cqrsId, table, key, fields, tracked, condition, when, onTruncate, expiry, revision, updated);
    }

    /** Returns this with another answer to TRUNCATE. */
    public MasterTable withOnTruncate(OnTruncate what) {
        return new MasterTable(
                cqrsId, table, key, fields, tracked, filter, whenExcluded, what, expiry, revision, updated);
    }

    /** Returns this with another expiry. */
    public MasterTable withExpiry(@Nullable Duration after) {
        return new MasterTable(
                cqrsId, table, key, fields, tracked, filter, whenExcluded, onTruncate, after, revision, updated);
    }

    /** Returns this with other columns of revision and time. */
    public MasterTable withStamp(String revisionColumn, String updatedColumn) {
        return new MasterTable(
                cqrsId,
                table,
                key,
                fields,
                tracked,
                filter,
                whenExcluded,
                onTruncate,
                expiry,
                revisionColumn,
                updatedColumn);
    }
}
