package io.cqrs.tools;

import io.cqrs.master.CqrsRelay;
import io.cqrs.tools.config.CqrsConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code cqrs relay}. */
@Command(
        name = "relay",
        mixinStandardHelpOptions = true,
        description = {
            "Publishes the changes that wait in a database's outbox, until it is stopped.",
            "Run as many as you like: one is active, another takes over when it dies."
        },
        footer = {"%nExample:", "  cqrs relay --config master.yaml"})
final class RelayCommand implements Callable<Integer> {

    @Mixin
    private ConfigOptions config = new ConfigOptions();

    @Override
    public Integer call() throws Exception {
        CqrsConfig loaded = config.load();
        RabbitTransport transport = loaded.transport();
        CqrsRelay relay = CqrsRelay.builder(loaded.database())
                .transport(transport)
                .wire(loaded.wire())
                .unroutable(loaded.unroutable())
                .build();
        Service.run(relay::start, relay::isRunning, relay, transport);
        return 0;
    }
}
