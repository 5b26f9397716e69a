package io.cqrs.benchmarks;

import io.cqrs.core.Change;
import io.cqrs.core.Signal;
import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.replica.Replica;
import io.cqrs.replica.ReplicaDefinition;
import io.cqrs.replica.ReplicaEntity;
import io.cqrs.replica.ReplicaHandler;
import io.cqrs.replica.hibernate.EntityDefinitions;
import io.cqrs.replica.internal.apply.BatchApplier;
import io.cqrs.replica.internal.apply.EntitySessions;
import io.cqrs.replica.internal.apply.Pending;
import io.cqrs.tools.servers.Servers;
import io.cqrs.transport.WireTime;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.hibernate.SessionFactory;
import org.hibernate.cfg.Configuration;
import org.jspecify.annotations.Nullable;

/** Applying changes that are in memory already: what the guard costs, what hooks cost, what deletes cost others. */
final class EngineBench implements Bench {

    private final String databaseUrl;
    private final SessionFactory sessions;
    private final int rows;

    private EngineBench(String databaseUrl, SessionFactory sessions, int rows) {
        this.databaseUrl = databaseUrl;
        this.sessions = sessions;
        this.rows = rows;
    }

    static EngineBench build(Servers servers, int rows) {
        String url = Databases.create(servers, "bench_engine");
        Configuration configuration = new Configuration().addAnnotatedClass(ItemRef.class);
        configuration.getProperties().put("hibernate.connection.datasource", UrlDataSource.of(url, null, null));
        return new EngineBench(url, configuration.buildSessionFactory(), rows);
    }

    @Override
    public List<Measure> measures() {
        return List.of(
                engine("engine", "floor a bare unnest upsert", false),
                engine("engine-hooks", "each change through a hook, floor a bare unnest upsert", true),
                new Measure(
                        "engine-deletes",
                        "rows/s",
                        List.of(
                                "rows " + rows,
                                "batch " + BenchQueue.BATCH,
                                "2 appliers",
                                "1 % deletes beside none, spread over all batches",
                                Databases.durability(databaseUrl)),
                        () -> applyByTwo(true),
                        () -> applyByTwo(false)));
    }

    private Measure engine(String name, String condition, boolean hooks) {
        return new Measure(
                name,
                "rows/s",
                List.of(
                        "rows " + rows,
                        "batch " + BenchQueue.BATCH,
                        "half new, half updates",
                        Databases.durability(databaseUrl),
                        condition),
                () -> apply(hooks),
                this::upsert);
    }

    @Override
    public void close() {
        sessions.close();
    }

    private BatchApplier applier(Connection connection, boolean hooks) throws SQLException {
        EntityDefinitions entities = EntityDefinitions.of(sessions, type -> new ItemHandler());
        List<ReplicaDefinition> definitions = hooks ? entities.definitions() : List.of(Item.REPLICA);
        @Nullable EntitySessions opened = hooks ? entities.sessions() : null;
        return BatchApplier.open(connection, definitions, CqrsSchema.standard(), opened, null);
    }

    /** Batches of changes, each key once a batch. */
    private List<List<Change>> batches() {
        List<List<Change>> batches = new ArrayList<>();
        for (int from = 0; from < rows; from += BenchQueue.BATCH) {
            List<Change> batch = new ArrayList<>();
            for (int i = from; i < Math.min(from + BenchQueue.BATCH, rows); i++) {
                batch.add(Item.change(i, rows));
            }
            batches.add(batch);
        }
        return batches;
    }

    private static String text(Change change, String column) {
        return switch (column) {
            case "cqrs_revision" -> change.stamp().revision().toString();
            case "cqrs_updated" -> WireTime.format(change.stamp().updated());
            default -> String.valueOf(change.data().get(column));
        };
    }

    private double apply(boolean hooks) throws Exception {
        Databases.empty(databaseUrl, Item.TABLE);
        List<List<Change>> batches = batches();
        try (Connection connection = DriverManager.getConnection(databaseUrl);
                BatchApplier applier = applier(connection, hooks)) {
            long start = System.nanoTime();
            for (List<Change> batch : batches) {
                applier.apply(batch.stream().map(Pending::new).toList());
            }
            return Round.perSecond(rows, start);
        }
    }

    private double upsert() throws Exception {
        Databases.empty(databaseUrl, Item.TABLE);
        List<List<Change>> batches = batches();
        try (Connection connection = DriverManager.getConnection(databaseUrl);
                PreparedStatement upsert = connection.prepareStatement(BareApply.UPSERT)) {
            connection.setAutoCommit(false);
            long start = System.nanoTime();
            for (List<Change> batch : batches) {
                BareApply.upsert(connection, upsert, batch, EngineBench::text);
            }
            return Round.perSecond(rows, start);
        }
    }

    /** Two appliers, one change in a hundred a delete or none. */
    private double applyByTwo(boolean deletes) throws Exception {
        Databases.empty(databaseUrl, Item.TABLE);
        List<List<Change>> batches = batches();
        if (deletes) {
            batches.replaceAll(EngineBench::withDeletes);
        }
        ExecutorService workers = Executors.newFixedThreadPool(2);
        try {
            long start = System.nanoTime();
            List<Future<?>> running = new ArrayList<>();
            for (int worker = 0; worker < 2; worker++) {
                int first = worker;
                running.add(workers.submit(() -> {
                    try (Connection connection = DriverManager.getConnection(databaseUrl);
                            BatchApplier applier = applier(connection, false)) {
                        for (int i = first; i < batches.size(); i += 2) {
                            applier.apply(
                                    batches.get(i).stream().map(Pending::new).toList());
                        }
                        return applier;
                    }
                }));
            }
            for (Future<?> one : running) {
                Object unused = one.get();
            }
            return Round.perSecond(rows, start);
        } finally {
            workers.shutdownNow();
        }
    }

    private static List<Change> withDeletes(List<Change> batch) {
        List<Change> mixed = new ArrayList<>(batch);
        for (int i = 0; i < mixed.size(); i += 100) {
            Change save = mixed.get(i);
            mixed.set(i, Change.of(Signal.DELETE, save.key(), save.stamp(), Map.of()));
        }
        return mixed;
    }

    /** Hooks that do what is done without them. */
    static final class ItemHandler extends ReplicaHandler<ItemRef> {}

    /** Ten columns. */
    @Entity(name = "ItemRef")
    @Table(name = "item")
    @Replica(value = "item", handler = ItemHandler.class)
    static class ItemRef extends ReplicaEntity {
        @Id
        @Nullable
        Long id;

        @Nullable
        String name;

        @Nullable
        String description;

        @Nullable
        BigDecimal price;

        int amount;
        boolean active;

        @Nullable
        LocalDate made;

        @Column(name = "seen")
        @Nullable
        Instant seen;
    }
}
