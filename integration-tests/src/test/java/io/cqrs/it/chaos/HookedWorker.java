package io.cqrs.it.chaos;

import io.cqrs.core.Change;
import io.cqrs.it.support.HookedReplica;
import io.cqrs.replica.ReplicaContext;
import io.cqrs.replica.ReplicaHandler;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** The second replica: its hooks fail one time in two hundred, and now and then take their time. Arguments: database, broker, exchange, queue, seed. */
final class HookedWorker {

    private static final int ONE_IN = 200;
    private static final long PAUSE_NANOS = 10_000_000;
    private static final Random RANDOM = new Random();

    private HookedWorker() {}

    public static void main(String[] args) throws Exception {
        RANDOM.setSeed(Long.parseLong(args[4]));
        HookedReplica.run(ChaosRef.class, args[0], args[1], args[2], args[3]);
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
                // Others go on meanwhile with what they know of the same rows.
                LockSupport.parkNanos(PAUSE_NANOS);
            }
            if (RANDOM.nextInt(ONE_IN) == 0) {
                throw new IllegalStateException("planted failure");
            }
        }
    }
}
