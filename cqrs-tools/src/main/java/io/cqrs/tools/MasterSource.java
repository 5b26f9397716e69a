package io.cqrs.tools;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.master.MasterRows;
import io.cqrs.master.MasterTable;
import io.cqrs.tools.config.Application;
import io.cqrs.tools.config.CqrsConfig;
import java.nio.file.Path;
import java.util.Optional;
import org.hibernate.SessionFactory;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options that say where a master's rows are: a table of {@code cqrs.yaml}, or an entity of an application. */
final class MasterSource {

    @Mixin
    private ConfigOptions config = new ConfigOptions();

    @Option(names = "--app", paramLabel = "JAR", description = "Jar with the entities that carry @Master.")
    private @Nullable Path app;

    /**
     * Works on a master's rows.
     *
     * @throws CqrsConfigurationException if nothing declares the master
     */
    int with(String id, Work work) throws Exception {
        CqrsConfig loaded = config.load();
        CqrsId cqrsId = CqrsId.of(id);
        Optional<MasterTable> declared = loaded.masters().stream()
                .filter(one -> one.cqrsId().equals(cqrsId))
                .findFirst();
        if (declared.isPresent()) {
            try (MasterRows rows = MasterRows.of(loaded.database(), declared.get())) {
                return work.run(rows);
            }
        }
        if (app == null) {
            throw new CqrsConfigurationException("Wrong CQRS ID: " + id
                    + "! No such master is declared: declare it under masters in cqrs.yaml, or give --app");
        }
        try (Application application = Application.open(app, loaded.properties());
                SessionFactory sessions = application.openMasters(loaded.database());
                MasterRows rows = MasterRows.of(sessions, type(sessions, cqrsId))) {
            return work.run(rows);
        }
    }

    private Class<?> type(SessionFactory sessions, CqrsId cqrsId) {
        return Application.master(sessions, cqrsId)
                .orElseThrow(() -> new CqrsConfigurationException(
                        "Wrong CQRS ID: " + cqrsId + "! No entity of " + app + " is such a master"));
    }

    /** What is done with the rows. */
    interface Work {
        /** Returns the exit code. */
        int run(MasterRows rows) throws Exception;
    }
}
