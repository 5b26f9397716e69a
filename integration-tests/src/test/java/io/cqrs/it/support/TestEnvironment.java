package io.cqrs.it.support;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.cqrs.tools.servers.BrokerServer;
import io.cqrs.tools.servers.Servers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** The servers of this test JVM: found or started once, stopped at its end. */
public final class TestEnvironment implements AfterAllCallback {

    private static final Servers SERVERS = Servers.forTests();
    private static final List<AutoCloseable> POOLS = Collections.synchronizedList(new ArrayList<>());

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(TestEnvironment::stop));
    }

    /** Returns the broker; without one the test is skipped with the reason, or fails where servers are required. */
    public static BrokerServer broker() {
        if (SERVERS.broker().isEmpty() && !"real".equals(System.getProperty("cqrs.it.require"))) {
            return abort("no RabbitMQ: set CQRS_TEST_AMQP_URL, start Docker or install rabbitmq-server");
        }
        return SERVERS.requireBroker();
    }

    /** Skips the test where this machine lacks what it takes, with the reason; fails it where servers are required. */
    public static void require(boolean condition, String reason) {
        if ("real".equals(System.getProperty("cqrs.it.require"))) {
            assertThat(condition).as(reason).isTrue();
        }
        assumeTrue(condition, reason);
    }

    /** Makes an empty database. */
    public static TestDatabase database(String purpose) {
        String url = SERVERS.database().createDatabase(purpose);
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        config.setMaximumPoolSize(24);
        config.setMinimumIdle(1);
        HikariDataSource pool = new HikariDataSource(config);
        POOLS.add(pool);
        return new TestDatabase(url, pool);
    }

    /** Returns the root of the checkout. */
    public static Path root() {
        String root = System.getProperty("cqrs.root");
        return root == null ? Path.of("").toAbsolutePath().getParent() : Path.of(root);
    }

    /** A class's databases serve no other: their connections would add up. */
    @Override
    public void afterAll(ExtensionContext context) throws Exception {
        for (AutoCloseable pool : POOLS) {
            pool.close();
        }
        POOLS.clear();
    }

    private static void stop() {
        System.err.println("servers used: " + SERVERS.describe());
        SERVERS.close();
    }
}
