package io.cqrs.tools;

import io.cqrs.replica.ReplicaStore;
import io.cqrs.tools.config.Application;
import io.cqrs.tools.config.CqrsConfig;
import java.nio.file.Path;
import java.util.Map;
import org.hibernate.SessionFactory;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options that say where the replicas are: tables of {@code cqrs.yaml}, and entities of an application. */
final class ReplicaSource {

    @Mixin
    private ConfigOptions config = new ConfigOptions();

    @Option(names = "--app", paramLabel = "JAR", description = "Jar with the entities that carry @Replica.")
    private @Nullable Path app;

    /** Works on the replicas of a database. */
    int with(Map<String, String> options, Work work) throws Exception {
        CqrsConfig loaded = config.load(options);
        if (app == null) {
            return work.run(ReplicaStore.of(loaded.database(), loaded.replicas()), loaded);
        }
        try (Application application = Application.open(app, loaded.properties());
                SessionFactory sessions = application.openReplicas(loaded.database())) {
            return work.run(ReplicaStore.of(sessions, loaded.replicas()), loaded);
        }
    }

    /** What is done with the replicas. */
    interface Work {
        /** Returns the exit code. */
        int run(ReplicaStore replicas, CqrsConfig config) throws Exception;
    }
}
