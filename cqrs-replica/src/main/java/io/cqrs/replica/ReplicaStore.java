package io.cqrs.replica;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.core.ReplicationException;
import io.cqrs.core.SerializationException;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.replica.hibernate.EntityDefinitions;
import io.cqrs.replica.hibernate.UnitDatabase;
import io.cqrs.replica.internal.apply.BatchApplier;
import io.cqrs.replica.internal.apply.EntitySessions;
import io.cqrs.replica.internal.load.Loader;
import io.cqrs.transport.pipe.LineReader;
import jakarta.persistence.EntityManagerFactory;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** The replicas of a database, to fill them from dumps and to compare them with their masters. Thread-safe. */
public final class ReplicaStore {

    private final DataSource dataSource;
    private final java.util.Map<CqrsId, ReplicaDefinition> replicas;
    private final @Nullable EntitySessions entities;
    private final CqrsSchema schema;

    private ReplicaStore(
            DataSource dataSource,
            List<ReplicaDefinition> replicas,
            @Nullable EntitySessions entities,
            CqrsSchema schema) {
        this.dataSource = Objects.requireNonNull(dataSource, "dataSource");
        this.replicas = Models.byId(replicas);
        this.entities = entities;
        this.schema = Objects.requireNonNull(schema, "schema");
    }

    /**
     * Returns the replicas of these tables.
     *
     * @throws CqrsConfigurationException if two are of one model, or there is none
     */
    public static ReplicaStore of(DataSource dataSource, List<ReplicaDefinition> replicas) {
        return new ReplicaStore(dataSource, replicas, null, CqrsSchema.standard());
    }

    /**
     * Returns the replicas of a persistence unit's entities with {@link Replica}, and others that no entity declares.
     *
     * @throws CqrsConfigurationException if a declaration is wrong, or the persistence unit names no database
     */
    public static ReplicaStore of(EntityManagerFactory factory, List<ReplicaDefinition> others) {
        EntityDefinitions entities = EntityDefinitions.of(factory, ReplicaHandler::make);
        List<ReplicaDefinition> all = new ArrayList<>(entities.definitions());
        all.addAll(others);
        DataSource source = UnitDatabase.of(factory);
        return new ReplicaStore(
                Checks.required(source, "the persistence unit names no database"),
                all,
                entities.sessions(),
                CqrsSchema.standard());
    }

    /** Returns the models of which there are replicas. */
    public Set<CqrsId> models() {
        return new TreeSet<>(replicas.keySet());
    }

    /**
     * Checks a replica's table against its declaration.
     *
     * @throws CqrsConfigurationException if it does not fit, or the framework's tables are missing
     * @throws ReplicationException if the database refuses or is gone
     */
    public void check(CqrsId cqrsId) {
        try (Connection connection = dataSource.getConnection();
                BatchApplier unused =
                        BatchApplier.open(connection, List.of(replica(cqrsId.value())), schema, entities, null)) {
            return;
        } catch (SQLException e) {
            throw new ReplicationException("the database refused to show " + cqrsId + ": " + e.getMessage(), e);
        }
    }

    /** Begins a load of a dump. */
    public BulkLoad load() {
        return new BulkLoad(this::load);
    }

    /** Returns the replica's stages of comparing. */
    public ReplicaDiff diff() {
        return new ReplicaDiff(dataSource, this::replica, entities, schema);
    }

    private BulkLoad.Result load(InputStream in, BulkLoad.Options options) throws IOException, InterruptedException {
        LineReader lines = new LineReader(in);
        byte[] first = lines.next();
        String id = first == null ? "" : new String(first, StandardCharsets.UTF_8).strip();
        if (id.isEmpty()) {
            throw new SerializationException("the dump is empty: its first line names the model");
        }
        ReplicaDefinition definition = replica(id);
        try (Connection connection = dataSource.getConnection()) {
            return new Loader(connection, definition, schema, entities, options).load(lines);
        } catch (SQLException e) {
            throw new ReplicationException(
                    "the database refused to load " + id + " after line " + lines.number() + ": " + e.getMessage(), e);
        }
    }

    private ReplicaDefinition replica(String id) {
        ReplicaDefinition found = replicas.values().stream()
                .filter(one -> one.cqrsId().value().equals(id))
                .findFirst()
                .orElse(null);
        if (found == null) {
            throw new CqrsConfigurationException(
                    "Wrong CQRS ID: " + (id.length() > 100 ? id.substring(0, 100) + "..." : id)
                            + "! There are replicas of " + replicas.keySet());
        }
        return found;
    }
}
