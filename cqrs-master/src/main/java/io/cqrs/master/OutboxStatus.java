package io.cqrs.master;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.OutboxException;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.master.internal.relay.OutboxInspector;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import javax.sql.DataSource;

/**
 * How an outbox is, as its database knows it.
 *
 * @param waiting how many changes wait, a million meaning that or more
 * @param oldest how long the first of them has waited
 * @param late how many of the first ten thousand are {@link #LATE late}, by routing key
 * @param relayed whether a relay holds the right to publish them
 * @param models the models that triggers capture
 * @param diffs what comparisons with replicas found last
 */
public record OutboxStatus(
        long waiting,
        Duration oldest,
        SortedMap<String, Long> late,
        boolean relayed,
        List<String> models,
        List<DiffReport> diffs) {

    /** What has waited for longer is late: while a relay is active, no queue takes it. */
    public static final Duration LATE = Duration.ofMinutes(1);

    /** Copies the collections. */
    public OutboxStatus {
        late = Collections.unmodifiableSortedMap(new TreeMap<>(late));
        models = List.copyOf(models);
        diffs = List.copyOf(diffs);
    }

    /**
     * Reads the status; empty where the user may not, as a replica's need not.
     *
     * @throws CqrsConfigurationException if the framework's tables are missing
     * @throws OutboxException if the database refuses or is gone
     */
    public static Optional<OutboxStatus> read(DataSource dataSource, CqrsSchema schema) {
        try (Connection connection = dataSource.getConnection()) {
            return new OutboxInspector(connection, schema).read();
        } catch (SQLException e) {
            throw new OutboxException("the outbox could not be read: " + e.getMessage(), e);
        }
    }
}
