package io.cqrs.it.chaos;

import io.cqrs.core.CqrsId;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.it.support.SelfKill;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.replica.Order;
import io.cqrs.replica.ReplicaDefinition;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.Receiver;
import io.cqrs.transport.spi.Transport;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** A worker that kills its own process at a certain step of a batch. Arguments: database, broker, exchange, queue, step. */
final class DoomedWorker {

    private static final int LIVES = 3;
    /** So small that what waits is more than its lives take. */
    private static final int BATCH = 20;

    /** Where it dies. */
    enum Step {
        /** Nothing is applied yet. */
        RECEIVED,
        /** Committed, and not acknowledged. */
        COMMITTED,
        ACKNOWLEDGED
    }

    private DoomedWorker() {}

    public static void main(String[] args) throws Exception {
        Step step = Step.valueOf(args[4]);
        AtomicInteger lives = new AtomicInteger(LIVES);
        try (RabbitTransport transport = RabbitTransport.of(
                        RabbitConfig.builder(args[1]).exchange(args[2]).build());
                CqrsReplica replica = CqrsReplica.builder(UrlDataSource.of(args[0], null, null))
                        .replica(definition("item"))
                        .replica(definition("part"))
                        .transport(doomed(Transport.class, transport, step, lives))
                        .queue(args[3])
                        .batchSize(BATCH)
                        .build()) {
            replica.start();
            new CountDownLatch(1).await();
        }
    }

    private static ReplicaDefinition definition(String model) {
        return ReplicaDefinition.ofTable(CqrsId.of(model), TableName.parse(model + "_ref"), Map.of(), Order.UPDATED);
    }

    private static <T> T doomed(Class<T> type, T real, Step step, AtomicInteger lives) {
        return type.cast(Proxy.newProxyInstance(
                DoomedWorker.class.getClassLoader(), new Class<?>[] {type}, (proxy, method, args) -> {
                    boolean acknowledges = method.getName().equals("acknowledgeUpTo");
                    if (acknowledges && step == Step.COMMITTED) {
                        loseLife(lives);
                    }
                    try {
                        Object result = method.invoke(real, args);
                        boolean receives = method.getName().equals("receive") && !((List<?>) result).isEmpty();
                        if (receives && step == Step.RECEIVED || acknowledges && step == Step.ACKNOWLEDGED) {
                            loseLife(lives);
                        }
                        return result instanceof Receiver receiver
                                ? doomed(Receiver.class, receiver, step, lives)
                                : result;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                }));
    }

    private static void loseLife(AtomicInteger lives) {
        if (lives.decrementAndGet() == 0) {
            SelfKill.now();
        }
    }
}
