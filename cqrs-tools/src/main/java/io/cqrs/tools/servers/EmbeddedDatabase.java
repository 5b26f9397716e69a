package io.cqrs.tools.servers;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Optional;

/** PostgreSQL from binaries that come as a Maven artifact. Stateless. */
final class EmbeddedDatabase {

    private EmbeddedDatabase() {}

    static Optional<DatabaseServer> start(boolean durable) {
        try {
            EmbeddedPostgres postgres = EmbeddedPostgres.builder()
                    .setPGStartupWait(Duration.ofSeconds(60))
                    .setServerConfig("fsync", durable ? "on" : "off")
                    .setServerConfig("max_connections", "200")
                    .start();
            return Optional.of(new DatabaseServer(
                    postgres.getJdbcUrl("postgres", "postgres"), "embedded PostgreSQL", () -> close(postgres)));
        } catch (IOException | RuntimeException e) {
            throw new ServerException(
                    "the embedded PostgreSQL does not start (" + e.getMessage() + "): set " + Servers.PG_URL
                            + ", or install PostgreSQL",
                    e);
        }
    }

    private static void close(EmbeddedPostgres postgres) {
        try {
            postgres.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
