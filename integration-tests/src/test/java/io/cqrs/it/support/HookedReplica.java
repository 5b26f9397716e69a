package io.cqrs.it.support;

import io.cqrs.core.Backoff;
import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.replica.RetryPolicy;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.hibernate.SessionFactory;
import org.hibernate.cfg.Configuration;

/**
 * A process that is two workers of an entity with hooks, whose failures are tried again each second for as long as it
 * takes. A line on its standard input sets its clock wrong by so many milliseconds.
 */
public final class HookedReplica {

    private HookedReplica() {}

    /** Runs until the process is killed. */
    public static void run(Class<?> entity, String databaseUrl, String brokerUrl, String exchange, String queue)
            throws Exception {
        JumpingClock clock = new JumpingClock();
        Configuration configuration = new Configuration().addAnnotatedClass(entity);
        configuration.getProperties().put("hibernate.connection.datasource", UrlDataSource.of(databaseUrl, null, null));
        try (SessionFactory sessions = configuration.buildSessionFactory();
                RabbitTransport transport = RabbitTransport.of(
                        RabbitConfig.builder(brokerUrl).exchange(exchange).build());
                CqrsReplica replica = CqrsReplica.builder(sessions)
                        .transport(transport)
                        .queue(queue)
                        .workers(2)
                        .clock(clock)
                        .retries(new RetryPolicy(1000, Backoff.constant(Duration.ofSeconds(1))))
                        .build()) {
            replica.start();
            System.out.println("consuming");
            BufferedReader told = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line = told.readLine(); line != null; line = told.readLine()) {
                clock.jump(Duration.ofMillis(Long.parseLong(line)));
            }
        }
    }
}
