package io.cqrs.it.chaos;

import io.cqrs.core.Backoff;
import io.cqrs.core.Change;
import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.replica.ReplicaContext;
import io.cqrs.replica.ReplicaHandler;
import io.cqrs.replica.RetryPolicy;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import org.hibernate.SessionFactory;
import org.hibernate.cfg.Configuration;
import org.jspecify.annotations.Nullable;

/** The second replica: its hooks fail one time in two hundred. Arguments: database, broker, exchange, queue, seed. */
final class HookedWorker {

    private static final int ONE_IN = 200;
    private static final Random RANDOM = new Random();

    private HookedWorker() {}

    public static void main(String[] args) throws Exception {
        RANDOM.setSeed(Long.parseLong(args[4]));
        Configuration configuration = new Configuration().addAnnotatedClass(ChaosRef.class);
        configuration.getProperties().put("hibernate.connection.datasource", UrlDataSource.of(args[0], null, null));
        try (SessionFactory sessions = configuration.buildSessionFactory();
                RabbitTransport transport = RabbitTransport.of(
                        RabbitConfig.builder(args[1]).exchange(args[2]).build());
                CqrsReplica replica = CqrsReplica.builder(sessions)
                        .transport(transport)
                        .queue(args[3])
                        .retries(new RetryPolicy(1000, Backoff.constant(Duration.ofSeconds(1))))
                        .build()) {
            replica.start();
            new CountDownLatch(1).await();
        }
    }

    /** Fails before or after its work is done. */
    static final class Hooks extends ReplicaHandler<ChaosRef> {

        @Override
        public @Nullable ChaosRef save(@Nullable ChaosRef row, Change change, ReplicaContext<ChaosRef> context)
                throws Exception {
            failSometimes();
            ChaosRef saved = super.save(row, change, context);
            failSometimes();
            return saved;
        }

        @Override
        public boolean delete(@Nullable ChaosRef row, Change change, ReplicaContext<ChaosRef> context)
                throws Exception {
            boolean deleted = super.delete(row, change, context);
            failSometimes();
            return deleted;
        }

        private static void failSometimes() {
            if (RANDOM.nextInt(ONE_IN) == 0) {
                throw new IllegalStateException("planted failure");
            }
        }
    }
}
