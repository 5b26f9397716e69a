package io.cqrs.benchmarks;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import java.io.IOException;

/** The floor of publishing: pipelined confirms, of which so many may be outstanding. Belongs to one thread. */
final class BarePublish {

    private final Channel channel;
    private final int window;
    private final Object news = new Object();
    private long sent;
    private long confirmed; // guarded by news

    BarePublish(Channel channel, int window) throws IOException {
        this.channel = channel;
        this.window = window;
        Object unused = channel.confirmSelect();
        channel.addConfirmListener((number, multiple) -> confirm(number), (number, multiple) -> {
            throw new IllegalStateException("the broker refused message " + number);
        });
    }

    /** A classic queue confirms in order, and so does a single quorum queue. */
    private void confirm(long number) {
        synchronized (news) {
            confirmed = Math.max(confirmed, number);
            news.notifyAll();
        }
    }

    void send(String exchange, String routingKey, AMQP.BasicProperties properties, byte[] body)
            throws IOException, InterruptedException {
        await(window - 1);
        channel.basicPublish(exchange, routingKey, true, properties, body);
        sent++;
    }

    /** Waits for all confirms. */
    void await() throws InterruptedException {
        await(0);
    }

    private void await(int outstanding) throws InterruptedException {
        synchronized (news) {
            while (sent - confirmed > outstanding) {
                news.wait();
            }
        }
    }
}
