package io.cqrs.master;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.core.FieldFilter;
import io.cqrs.core.OutboxException;
import io.cqrs.core.rows.ComparedTable;
import io.cqrs.core.rows.RangeReader;
import io.cqrs.core.rows.RowDigest;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.master.hibernate.EntityRows;
import io.cqrs.master.internal.table.TableRows;
import jakarta.persistence.EntityManagerFactory;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * The rows of one master as they are now: to dump them, to compare them with a replica's and to send some again.
 *
 * <p>Keys are given as the text of their parts, in the order of the key. Holds a connection until it is closed; belongs
 * to one thread. All methods throw {@link OutboxException} if the database refuses or is gone.
 */
public interface MasterRows extends AutoCloseable {

    /**
     * Opens the rows of a table.
     *
     * @throws CqrsConfigurationException if the declaration does not fit the table
     */
    static MasterRows of(DataSource dataSource, MasterTable table) {
        return TableRows.open(dataSource, CqrsSchema.standard(), table);
    }

    /**
     * Opens the rows of an entity: by SQL alone where its columns hold all that is sent, else through its serializer and
     * its {@code isSyncInstance}.
     *
     * @throws CqrsConfigurationException if the type is no master, or the persistence unit names no database
     */
    static MasterRows of(EntityManagerFactory factory, Class<?> type) {
        return EntityRows.open(factory, type);
    }

    /** Returns the model. */
    CqrsId cqrsId();

    /** Returns the time of the database. */
    Instant now();

    /** Returns how many rows there are, of those that are sent. */
    long count();

    /**
     * Reads the data of all rows that are sent, of one moment.
     *
     * @throws IOException if the sink throws it
     */
    void dump(DumpSink sink) throws IOException;

    /** Takes the rows of a dump. */
    interface DumpSink {

        /**
         * Takes a row's data, a JSON object in UTF-8 without line ends.
         *
         * @param length how many bytes of the array it has
         */
        void row(byte[] data, int length) throws IOException;

        /** Is told that the data of a row could not be made. */
        void failed(String key, Exception error);
    }

    /**
     * Reads keys and revisions in the order of the keys, page by page.
     *
     * @param sink takes a page: the JSON array {@code [[key,revision],...]}
     * @throws CqrsConfigurationException if the filter does not fit
     * @throws IOException if the sink throws it
     */
    void states(FieldFilter filter, int pageSize, PageSink sink) throws IOException;

    /** Takes pages of keys and revisions. */
    @FunctionalInterface
    interface PageSink {
        /** Takes a page. */
        void page(String json) throws IOException;
    }

    /** Returns those of these keys that no row has, by their place. */
    List<Integer> missing(List<List<String>> keys);

    /**
     * Sends the rows with these keys again, as a sync does.
     *
     * @param queue to which queue, or null for all
     * @param forced whether replicas take them over later states
     * @param listener told every few seconds while the relay is waited for
     */
    SyncProgress sync(List<List<String>> keys, @Nullable String queue, boolean forced, Consumer<SyncProgress> listener)
            throws InterruptedException;

    /**
     * Sends deletes of rows that a replica has, and this master does not; those that it has by now are left out.
     *
     * @param rows as the replica has them: the delete goes before any later state
     * @param queue to which queue, or null for all
     * @return how many were sent
     */
    long delete(List<RowDigest> rows, @Nullable String queue);

    /** Returns what of the rows can be compared with a replica's, by their table alone. */
    ComparedTable compared();

    /**
     * Opens a reader of ranges, on a connection of its own; the caller closes it.
     *
     * @param fields which fields it compares
     */
    RangeReader ranges(List<String> fields);

    /** Notes what a comparison of this model with a queue's replica found, for the next who asks how it is. */
    void note(DiffReport report);

    @Override
    void close();
}
