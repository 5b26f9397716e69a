package io.cqrs.core.schema;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.jdbc.TableName;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Map;
import java.util.Objects;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;

/**
 * The framework's own tables, made and kept current by Flyway in a schema of their own.
 *
 * <p>The history table is {@value #HISTORY_TABLE} and the migrations lie under {@code io/cqrs/migrations}, so a user's
 * own Flyway never meets them, in another schema or in the same one. Safe to run from several processes at once: one
 * migrates, the others wait. Immutable, thread-safe.
 */
public final class CqrsSchema {

    /** The schema unless another is chosen. */
    public static final String DEFAULT_NAME = "cqrs";

    static final String HISTORY_TABLE = "flyway_schema_history_cqrs";

    private final String name;

    private CqrsSchema(String name) {
        this.name = name;
    }

    /** Returns the schema {@value #DEFAULT_NAME}. */
    public static CqrsSchema standard() {
        return new CqrsSchema(DEFAULT_NAME);
    }

    /**
     * Returns the schema of this name; it may be one that holds other tables too.
     *
     * @throws IllegalArgumentException if the name is empty
     */
    public static CqrsSchema named(String name) {
        TableName.quote(name);
        return new CqrsSchema(Objects.requireNonNull(name, "name"));
    }

    /** Returns the schema's name. */
    public String name() {
        return name;
    }

    /** Returns the outbox of committed changes that wait for the relay. */
    public TableName outbox() {
        return new TableName(name, "outbox");
    }

    /** Returns the table of models that triggers capture. */
    public TableName capture() {
        return new TableName(name, "capture");
    }

    /** Returns the table of what comparisons with replicas found last. */
    public TableName lastDiff() {
        return new TableName(name, "last_diff");
    }

    /** Returns the channel on which relays of this schema's outbox are notified. */
    public String channel() {
        return "cqrs_outbox:" + name;
    }

    /** Returns the table of deleted keys, on the replica's side. */
    public TableName tombstone() {
        return new TableName(name, "tombstone");
    }

    /** Returns the table that says up to which time tombstones were purged, by model. */
    public TableName tombstoneHorizon() {
        return new TableName(name, "tombstone_horizon");
    }

    /**
     * Makes sure that one of the schema's tables is there.
     *
     * @throws CqrsConfigurationException if it is not
     * @throws SQLException if the database refuses, or is gone
     */
    public static void require(Connection connection, TableName table) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("select to_regclass(?) is not null")) {
            statement.setString(1, table.sql());
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                if (!row.getBoolean(1)) {
                    throw new CqrsConfigurationException(
                            "table " + table + " does not exist: run `cqrs migrate` on this database first");
                }
            }
        }
    }

    /**
     * Creates the schema and its tables, or brings them up to date. One that a newer version made stays as it is: versions
     * may be mixed while services are upgraded, but where CHANGELOG names what has to be upgraded first.
     *
     * @param dataSource a user with CREATE on the database, or on the schema where it exists
     * @return how many migrations were applied, 0 when all was current
     * @throws CqrsConfigurationException if the database refuses
     */
    public int migrate(DataSource dataSource) {
        Objects.requireNonNull(dataSource, "dataSource");
        try {
            return Flyway.configure(CqrsSchema.class.getClassLoader())
                    .dataSource(dataSource)
                    .schemas(name)
                    .defaultSchema(name)
                    .createSchemas(true)
                    .table(HISTORY_TABLE)
                    .locations("classpath:io/cqrs/migrations")
                    .placeholders(Map.of())
                    .placeholderReplacement(false)
                    // A shared schema holds the user's tables already: ours start at version 1 beside them.
                    .baselineOnMigrate(true)
                    .baselineVersion("0")
                    .group(true)
                    .load()
                    .migrate()
                    .migrationsExecuted;
        } catch (FlywayException e) {
            throw new CqrsConfigurationException(
                    "schema \"" + name + "\" could not be migrated: "
                            + e.getMessage()
                            + " Check that the user may create it, or run `cqrs migrate` as one who may.",
                    e);
        }
    }
}
