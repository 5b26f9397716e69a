package io.cqrs.tools;

import io.cqrs.tools.config.ConfigLoader;
import io.cqrs.tools.config.CqrsConfig;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that every command has which works on a database or a broker. */
final class ConfigOptions {

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "Configuration file. Default: cqrs.yaml, if it exists.")
    private @Nullable Path file;

    @Option(names = "--transport-url", paramLabel = "URL", description = "Broker. Variable: CQRS_TRANSPORT_URL.")
    private @Nullable String transportUrl;

    @Option(names = "--exchange", paramLabel = "NAME", description = "Exchange. Variable: CQRS_TRANSPORT_EXCHANGE.")
    private @Nullable String exchange;

    @Option(
            names = "--database-url",
            paramLabel = "URL",
            description = "Database, as a JDBC URL. Variable: CQRS_DATABASE_URL; also CQRS_DATABASE_USER and"
                    + " CQRS_DATABASE_PASSWORD.")
    private @Nullable String databaseUrl;

    CqrsConfig load() {
        return load(Map.of());
    }

    CqrsConfig load(Map<String, String> more) {
        Map<String, String> options = new HashMap<>(more);
        put(options, "transport.url", transportUrl);
        put(options, "transport.exchange", exchange);
        put(options, "database.url", databaseUrl);
        return new ConfigLoader(System.getenv()).load(file, options);
    }

    private static void put(Map<String, String> options, String key, @Nullable String value) {
        if (value != null) {
            options.put(key, value);
        }
    }
}
