package io.cqrs.tools;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.master.MasterTable;
import io.cqrs.tools.config.Application;
import io.cqrs.tools.config.CqrsConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that choose masters, of {@code cqrs.yaml} and of an application. */
final class Masters {

    @Option(
            names = {"-c", "-cid", "--cqrs-id"},
            paramLabel = "ID",
            description = "The model; several by several options. Default: all that are declared.")
    private List<String> ids = new ArrayList<>();

    @Option(names = "--app", paramLabel = "JAR", description = "Jar with the entities that carry @Master.")
    private @Nullable Path app;

    /** Filled by picocli. */
    Masters() {}

    /** Means these models of the configuration and of an application. */
    Masters(List<String> ids, @Nullable Path app) {
        this.ids = ids;
        this.app = app;
    }

    /** Returns those that are meant, as tables; what the file declares goes before an entity. */
    List<MasterTable> tables(CqrsConfig config) {
        return tables(config, Application::masterTables);
    }

    /** The same; where none is named, but for entities that only Hibernate can capture: it is told of each, and why. */
    List<MasterTable> capturable(CqrsConfig config, BiConsumer<CqrsId, String> left) {
        return ids.isEmpty()
                ? tables(config, (application, wanted) -> application.capturableTables(wanted, left))
                : tables(config);
    }

    /** The same as tables of no more than keys, revisions and times. */
    List<MasterTable> keyTables(CqrsConfig config) {
        return tables(config, Application::masterKeyTables);
    }

    private List<MasterTable> tables(
            CqrsConfig config, BiFunction<Application, Predicate<CqrsId>, List<MasterTable>> read) {
        List<MasterTable> tables = new ArrayList<>(config.masters());
        if (app != null) {
            try (Application application = Application.open(app, config.properties())) {
                Set<CqrsId> declared =
                        config.masters().stream().map(MasterTable::cqrsId).collect(Collectors.toSet());
                tables.addAll(read.apply(
                        application, id -> !declared.contains(id) && (ids.isEmpty() || ids.contains(id.value()))));
            }
        }
        for (String id : ids) {
            if (tables.stream().noneMatch(one -> one.cqrsId().value().equals(id))) {
                throw new CqrsConfigurationException(
                        "no master " + id + " is declared: declare it under masters in cqrs.yaml, or give --app");
            }
        }
        tables.removeIf(one -> !ids.isEmpty() && !ids.contains(one.cqrsId().value()));
        return tables;
    }

    /** Returns the ids that are named. */
    List<CqrsId> named() {
        return ids.stream().map(CqrsId::of).toList();
    }
}
