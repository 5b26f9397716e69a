package io.cqrs.transport.memory;

import io.cqrs.transport.spi.Delivery;
import io.cqrs.transport.spi.OutgoingMessage;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** Messages in the order of their arrival. Guarded by the transport's lock. */
final class MemoryQueue {

    private final Deque<Delivery> ready = new ArrayDeque<>();
    private long arrivals;

    boolean isEmpty() {
        return ready.isEmpty();
    }

    int size() {
        return ready.size();
    }

    void add(String routingKey, OutgoingMessage message) {
        arrivals++;
        ready.addLast(new Delivery(
                arrivals, message.messageId(), message.contentType(), routingKey, message.headers(), message.body()));
    }

    List<Delivery> take(int maxCount, long maxBytes) {
        List<Delivery> batch = new ArrayList<>();
        long bytes = 0;
        int changes = 0;
        while (!ready.isEmpty() && changes < maxCount && bytes < maxBytes) {
            Delivery next = ready.removeFirst();
            bytes += next.size();
            changes += next.changes();
            batch.add(next);
        }
        return batch;
    }

    /** Puts deliveries back to the front, in their old order. */
    void giveBack(List<Delivery> deliveries) {
        for (int i = deliveries.size() - 1; i >= 0; i--) {
            ready.addFirst(deliveries.get(i));
        }
    }
}
