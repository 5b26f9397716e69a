package io.cqrs.it.process;

import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.it.support.SelfKill;
import io.cqrs.master.CqrsRelay;
import io.cqrs.master.RelayListener;
import io.cqrs.transport.rabbit.RabbitConfig;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.Browser;
import io.cqrs.transport.spi.OutgoingMessage;
import io.cqrs.transport.spi.PublishOutcome;
import io.cqrs.transport.spi.Publisher;
import io.cqrs.transport.spi.Receiver;
import io.cqrs.transport.spi.ReplicaQueue;
import io.cqrs.transport.spi.Transport;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import javax.sql.DataSource;

/** A relay that kills its own process at a certain step: of its second page, but for the first one. */
public final class DoomedRelay {

    /** Where it dies. */
    public enum Step {
        AFTER_FETCH,
        AFTER_PUBLISH,
        AFTER_CONFIRM,
        BEFORE_DELETE,
        AFTER_DELETE
    }

    private DoomedRelay() {}

    public static void main(String[] args) throws Exception {
        Step step = Step.valueOf(args[3]);
        Transport transport = new DoomedTransport(
                RabbitTransport.of(
                        RabbitConfig.builder(args[1]).exchange(args[2]).build()),
                step);
        run(database(UrlDataSource.of(args[0], null, null), step), transport);
    }

    /** Relays until the process ends, and says when it leads. */
    static void run(DataSource database, Transport transport) throws InterruptedException {
        CqrsRelay relay = CqrsRelay.builder(database)
                .transport(transport)
                .listener(new RelayListener() {
                    @Override
                    public void leading(boolean active) {
                        System.out.println(active ? "active" : "inactive");
                    }
                })
                .build();
        relay.start();
        new CountDownLatch(1).await();
    }

    /** Dies around the delete of the second page: its parameter is an array of ids. */
    private static DataSource database(DataSource real, Step step) {
        return proxy(
                DataSource.class,
                real,
                (method, result) -> method.equals("getConnection")
                        ? proxy(
                                Connection.class,
                                result,
                                (what, made) -> made instanceof PreparedStatement statement
                                                && statement.toString().contains("delete from")
                                        ? deleting(statement, step)
                                        : made)
                        : result);
    }

    private static PreparedStatement deleting(PreparedStatement real, Step step) {
        int[] deletes = {0};
        return (PreparedStatement) Proxy.newProxyInstance(
                DoomedRelay.class.getClassLoader(), new Class<?>[] {PreparedStatement.class}, (proxy, method, args) -> {
                    boolean delete = method.getName().equals("executeUpdate");
                    if (delete && ++deletes[0] == 2 && step == Step.BEFORE_DELETE) {
                        SelfKill.now();
                    }
                    try {
                        Object result = method.invoke(real, args);
                        if (delete && deletes[0] == 2 && step == Step.AFTER_DELETE) {
                            SelfKill.now();
                        }
                        return result;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    private static <T> T proxy(Class<T> type, Object real, Wrap wrap) {
        return type.cast(Proxy.newProxyInstance(
                DoomedRelay.class.getClassLoader(), new Class<?>[] {type}, (proxy, method, args) -> {
                    try {
                        Object result = method.invoke(real, args);
                        return result == null ? null : wrap.wrap(method.getName(), result);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                }));
    }

    /** Puts something around what a method returns. */
    private interface Wrap {
        Object wrap(String method, Object result);
    }

    private record DoomedTransport(Transport real, Step step) implements Transport {

        @Override
        public List<String> declare(ReplicaQueue queue) throws InterruptedException {
            return real.declare(queue);
        }

        @Override
        public Publisher openPublisher() throws InterruptedException {
            return new DoomedPublisher(real.openPublisher(), step, new int[] {0});
        }

        @Override
        public Receiver openReceiver(List<String> queues, int prefetch, long prefetchBytes)
                throws InterruptedException {
            return real.openReceiver(queues, prefetch, prefetchBytes);
        }

        @Override
        public Browser openBrowser(String queue) throws InterruptedException {
            return real.openBrowser(queue);
        }

        @Override
        public String describe() {
            return real.describe();
        }

        @Override
        public void close() {
            real.close();
        }
    }

    private record DoomedPublisher(Publisher real, Step step, int[] pages) implements Publisher {

        @Override
        public Publication send(List<OutgoingMessage> messages) throws InterruptedException {
            int page = ++pages[0];
            if (step == Step.AFTER_FETCH) {
                SelfKill.now();
            }
            Publication publication = real.send(messages);
            if (page == 2 && step == Step.AFTER_PUBLISH) {
                SelfKill.now();
            }
            return new Publication() {
                @Override
                public List<PublishOutcome> await(Duration limit) throws InterruptedException {
                    List<PublishOutcome> outcomes = publication.await(limit);
                    if (page == 2 && step == Step.AFTER_CONFIRM) {
                        SelfKill.now();
                    }
                    return outcomes;
                }
            };
        }

        @Override
        public void close() {
            real.close();
        }
    }
}
