package io.cqrs.tools.servers;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;

/** PostgreSQL from binaries that come as a Maven artifact. Stateless. */
final class EmbeddedDatabase {

    private EmbeddedDatabase() {}

    static Optional<DatabaseServer> open(boolean durable, Consumer<AutoCloseable> started) {
        try {
            EmbeddedPostgres postgres = EmbeddedPostgres.builder()
                    .setPGStartupWait(Duration.ofSeconds(60))
                    .setServerConfig("fsync", durable ? "on" : "off")
                    .setServerConfig("max_connections", "200")
                    .start();
            started.accept(postgres);
            return Optional.of(new DatabaseServer(
                    postgres.getJdbcUrl("postgres", "postgres"), "embedded PostgreSQL", ServerControl.NOT_OURS));
        } catch (IOException | RuntimeException e) {
            throw new ServerException(
                    "the embedded PostgreSQL does not start (" + e.getMessage() + "): set " + Servers.PG_URL
                            + ", or install PostgreSQL",
                    e);
        }
    }
}
