package io.cqrs.tools;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.core.FieldFilter;
import io.cqrs.master.MasterTable;
import io.cqrs.master.SyncProgress;
import io.cqrs.master.SyncRequest;
import io.cqrs.master.TableSyncRequest;
import io.cqrs.master.TriggerCapture;
import io.cqrs.tools.config.Application;
import io.cqrs.tools.config.CqrsConfig;
import io.cqrs.transport.FieldFilters;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.hibernate.SessionFactory;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code cqrs sync}. */
@Command(
        name = "sync",
        aliases = "cqrs_sync",
        mixinStandardHelpOptions = true,
        description = {
            "Sends rows of a master again as they are now, through its outbox, to one queue or to all.",
            "Writes no further page before the relay has published all but the last two."
        },
        footer = {
            "%nFilters: a JSON object of field or field__lookup and value; lookups: exact, in, gt, gte, lt, lte, isnull,",
            "range, contains, startswith, endswith, and iexact, icontains, istartswith, iendswith. {} means all rows.",
            "%nExample:",
            "  cqrs sync -c product -f '{\"price__gt\": 10}' -q storefront --config catalogue.yaml"
        })
final class SyncCommand implements Callable<Integer> {

    @Mixin
    private ConfigOptions config = new ConfigOptions();

    @Option(
            names = {"-c", "-cid", "--cqrs-id"},
            required = true,
            paramLabel = "ID",
            description = "The model.")
    private String id;

    @Option(
            names = {"-f", "--filter"},
            required = true,
            paramLabel = "JSON",
            description = "Which rows; {} means all.")
    private String filter;

    @Option(
            names = {"-q", "--queue"},
            paramLabel = "NAME",
            description =
                    "The queue to send to; where there is none, the rows are held in the outbox. Default: all that are bound.")
    private @Nullable String queue;

    @Option(
            names = {"-b", "--batch"},
            paramLabel = "N",
            defaultValue = "1000",
            description = "Rows a transaction. Default: 1000.")
    private int batch;

    @Option(
            names = {"-p", "--progress"},
            description = "Tell of each page.")
    private boolean progress;

    @Option(names = "--force", description = "Have replicas take the rows even over later ones: after a restore.")
    private boolean force;

    @Option(
            names = "--after",
            paramLabel = "JSON",
            description = "Go on behind this key, as an earlier run told it: 5, or for a key of parts [5, \"a\"].")
    private @Nullable String after;

    @Option(names = "--app", paramLabel = "JAR", description = "Jar with the entities that carry @Master.")
    private @Nullable Path app;

    @Spec
    private CommandSpec spec;

    private @Nullable SyncProgress last;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    SyncCommand() {}

    @Override
    public Integer call() throws Exception {
        FieldFilter parsed = FieldFilters.parse(filter);
        CqrsConfig loaded = config.load();
        Optional<MasterTable> declared = loaded.masters().stream()
                .filter(one -> one.cqrsId().value().equals(id))
                .findFirst();
        try {
            SyncProgress done = declared.isPresent() ? sync(loaded, declared.get(), parsed) : sync(loaded, parsed);
            err().println(id + ": " + done.sent() + " sent"
                    + (done.skipped() > 0 ? ", " + done.skipped() + " skipped" : ""));
            return 0;
        } catch (CqrsConfigurationException e) {
            // Nothing was begun that could go on.
            throw e;
        } catch (RuntimeException e) {
            if (last == null) {
                FilterValues.requireFit(e);
            }
            String key = last == null || last.lastKey() == null ? after : last.lastKey();
            if (key != null) {
                err().println(id + ": " + (last == null ? 0 : last.sent()) + " sent; go on with --after '" + key + "'");
            }
            throw e;
        }
    }

    private SyncProgress sync(CqrsConfig loaded, MasterTable table, FieldFilter parsed) {
        TableSyncRequest request = TriggerCapture.of(loaded.database())
                .sync(table)
                .where(parsed)
                .pageSize(batch)
                .listener(this::tell);
        if (queue != null) {
            request.to(queue);
        }
        if (force) {
            request.force();
        }
        if (after != null) {
            request.afterKey(after);
        }
        return request.send();
    }

    private SyncProgress sync(CqrsConfig loaded, FieldFilter parsed) throws InterruptedException {
        if (app == null) {
            throw new CqrsConfigurationException(
                    "no master " + id + " is declared: declare it under masters in cqrs.yaml, or give --app");
        }
        try (Application application = Application.open(app, loaded.properties());
                SessionFactory sessions = application.openMasters(loaded.database())) {
            SyncRequest<?> request = SyncRequest.of(sessions, type(sessions))
                    .where(parsed)
                    .pageSize(batch)
                    .listener(this::tell);
            if (queue != null) {
                request.to(queue);
            }
            if (force) {
                request.force();
            }
            if (after != null) {
                request.afterKey(after);
            }
            return request.send();
        }
    }

    private Class<?> type(SessionFactory sessions) {
        CqrsId wanted = CqrsId.of(id);
        return Application.master(sessions, wanted)
                .orElseThrow(() -> new CqrsConfigurationException("no entity of " + app + " is the master " + id));
    }

    private void tell(SyncProgress now) {
        last = now;
        if (now.waiting()) {
            err().println(id + ": " + now.sent() + " sent, waiting for the relay to publish them: does one run, and is"
                    + " there " + (queue == null ? "a queue that takes them" : "queue " + queue)
                    + " (`cqrs consume --bind-only` makes it)?");
        } else if (progress) {
            err().println(id + ": " + now.sent() + " sent, " + now.skipped() + " skipped, up to key " + now.lastKey());
        }
        err().flush();
    }

    private PrintWriter err() {
        return spec.commandLine().getErr();
    }
}
