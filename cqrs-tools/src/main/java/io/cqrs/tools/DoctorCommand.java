package io.cqrs.tools;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.replica.ReplicaStore;
import io.cqrs.tools.config.CqrsConfig;
import io.cqrs.tools.doctor.BrokerDoctor;
import io.cqrs.tools.doctor.DatabaseDoctor;
import io.cqrs.tools.doctor.Finding;
import io.cqrs.tools.doctor.ModelDoctor;
import io.cqrs.transport.JsonText;
import io.cqrs.transport.rabbit.RabbitTransport;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code cqrs doctor}. */
@Command(
        name = "doctor",
        mixinStandardHelpOptions = true,
        description = {
            "Looks at database, broker, tables and declarations, and says of each finding how to mend it. Changes nothing.",
            "Exit code 1: something does not work."
        },
        footer = {"%nExample:", "  cqrs doctor --config storefront.yaml"})
final class DoctorCommand implements Callable<Integer> {

    @Mixin
    private ConfigOptions config = new ConfigOptions();

    @Option(names = "--json", description = "Print a JSON object a finding.")
    private boolean json;

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    DoctorCommand() {}

    @Override
    public Integer call() throws Exception {
        CqrsConfig loaded = config.load();
        if (loaded.databaseUrl() == null && loaded.transportUrl() == null) {
            throw new CqrsConfigurationException(
                    "neither database.url nor transport.url is set: there is nothing to look at; give them in cqrs.yaml");
        }
        List<Finding> findings = new ArrayList<>();
        if (loaded.databaseUrl() != null) {
            database(loaded, findings);
        }
        if (loaded.transportUrl() != null) {
            broker(loaded, findings);
        }
        PrintWriter out = spec.commandLine().getOut();
        for (Finding finding : findings) {
            out.println(json ? json(finding) : text(finding));
        }
        out.flush();
        boolean failed = findings.stream().anyMatch(finding -> finding.level() == Finding.Level.FAIL);
        return failed ? ExitCodes.ERROR : 0;
    }

    private static void database(CqrsConfig config, List<Finding> findings) {
        findings.addAll(new DatabaseDoctor(config.database()).examine());
        boolean reached = findings.stream().noneMatch(finding -> finding.level() == Finding.Level.FAIL);
        if (reached) {
            ModelDoctor models = new ModelDoctor(config.database());
            findings.addAll(models.masters(config.masters()));
            if (!config.replicas().isEmpty()) {
                findings.addAll(models.replicas(ReplicaStore.of(config.database(), config.replicas())));
            }
        }
    }

    private static void broker(CqrsConfig config, List<Finding> findings) throws InterruptedException {
        try (RabbitTransport transport = config.impatientTransport()) {
            findings.addAll(new BrokerDoctor(transport).examine(config.replicaQueue()));
        }
    }

    private static String text(Finding finding) {
        String line = String.format("%-5s%s", finding.level().name().toLowerCase(Locale.ROOT), finding.what());
        return finding.fix().isEmpty() ? line : line + System.lineSeparator() + "     -> " + finding.fix();
    }

    private static String json(Finding finding) {
        return JsonText.write(Map.of(
                "level", finding.level().name().toLowerCase(Locale.ROOT),
                "what", finding.what(),
                "fix", finding.fix()));
    }
}
