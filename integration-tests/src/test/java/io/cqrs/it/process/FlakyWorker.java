package io.cqrs.it.process;

import io.cqrs.core.Change;
import io.cqrs.it.support.HookedReplica;
import io.cqrs.replica.ReplicaContext;
import io.cqrs.replica.ReplicaHandler;
import io.cqrs.replica.RetryPolicy;
import java.util.Random;
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
        HookedReplica.run(FlakyRef.class, args[0], args[1], args[2], args[2]);
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
