package io.cqrs.it.process;

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

/** A worker whose hooks fail now and then, and always for some keys. */
final class FlakyWorker {

    private static final int ONE_IN = 500;
    private static final Random RANDOM = new Random(Long.getLong("seed", 0));

    private FlakyWorker() {}

    /** Keys whose hooks never succeed. */
    static boolean isPoison(long id) {
        return id % 1000 == 7;
    }

    public static void main(String[] args) throws Exception {
        Configuration configuration = new Configuration().addAnnotatedClass(FlakyRef.class);
        configuration.getProperties().put("hibernate.connection.datasource", UrlDataSource.of(args[0], null, null));
        try (SessionFactory sessions = configuration.buildSessionFactory();
                RabbitTransport transport = RabbitTransport.of(
                        RabbitConfig.builder(args[1]).exchange(args[2]).build());
                CqrsReplica replica = CqrsReplica.builder(sessions)
                        .transport(transport)
                        .queue(args[2])
                        .retries(new RetryPolicy(1000, Backoff.constant(Duration.ofSeconds(1))))
                        .build()) {
            replica.start();
            new CountDownLatch(1).await();
        }
    }

    /** Fails at random. */
    static final class Flaky extends ReplicaHandler<FlakyRef> {

        @Override
        public @Nullable FlakyRef save(@Nullable FlakyRef row, Change change, ReplicaContext<FlakyRef> context)
                throws Exception {
            failSometimes(change);
            return super.save(row, change, context);
        }

        @Override
        public boolean delete(@Nullable FlakyRef row, Change change, ReplicaContext<FlakyRef> context)
                throws Exception {
            failSometimes(change);
            return super.delete(row, change, context);
        }

        @Override
        public boolean shouldRetry(int retries, Exception error, RetryPolicy policy) {
            return !(error instanceof IllegalArgumentException) || retries < 2;
        }

        private static void failSometimes(Change change) {
            if (isPoison(id(change))) {
                throw new IllegalArgumentException("poison");
            }
            if (RANDOM.nextInt(ONE_IN) == 0) {
                throw new IllegalStateException("flaky");
            }
        }

        private static long id(Change change) {
            return ((Number) change.key().parts().get(0)).longValue();
        }
    }
}
