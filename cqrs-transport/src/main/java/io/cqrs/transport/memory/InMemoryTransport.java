package io.cqrs.transport.memory;

import io.cqrs.core.CqrsId;
import io.cqrs.core.TransportException;
import io.cqrs.core.lifecycle.Ticker;
import io.cqrs.transport.RoutingKeys;
import io.cqrs.transport.spi.Browser;
import io.cqrs.transport.spi.Delivery;
import io.cqrs.transport.spi.Destination;
import io.cqrs.transport.spi.OutgoingMessage;
import io.cqrs.transport.spi.PublishOutcome;
import io.cqrs.transport.spi.Publisher;
import io.cqrs.transport.spi.Receiver;
import io.cqrs.transport.spi.ReplicaQueue;
import io.cqrs.transport.spi.Transport;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A broker within the process: the same routing, acknowledgements, returns and delays, nothing kept when it ends.
 *
 * <p>Every message passes as the bytes that RabbitMQ would carry. One queue serves for any number of shards. Thread-safe.
 */
public final class InMemoryTransport implements Transport {

    private final Ticker ticker;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrived = lock.newCondition();
    private final Map<String, MemoryQueue> queues = new HashMap<>();
    private final Map<String, Set<String>> bindings = new HashMap<>();
    private final PriorityQueue<DelayedMessage> delayed = new PriorityQueue<>();
    private long delayedSoFar;
    private boolean closed;

    /** Creates an empty broker. */
    public InMemoryTransport() {
        this(Ticker.SYSTEM);
    }

    /** Creates an empty broker whose delays pass by this ticker. */
    public InMemoryTransport(Ticker ticker) {
        this.ticker = ticker;
    }

    @Override
    public List<String> declare(ReplicaQueue queue) {
        lock.lock();
        try {
            requireOpen();
            queues.computeIfAbsent(queue.name(), name -> new MemoryQueue());
            queues.computeIfAbsent(queue.deadLetters(), name -> new MemoryQueue());
            for (CqrsId model : queue.models()) {
                RoutingKeys.toReplica(queue.name(), model).forEach(key -> bind(key, queue.name()));
                bind(RoutingKeys.toQueue(queue.deadLetters(), model), queue.deadLetters());
            }
            return List.of(queue.name());
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Publisher openPublisher() {
        return new MemoryPublisher();
    }

    @Override
    public Receiver openReceiver(List<String> names, int prefetch, long prefetchBytes) {
        if (prefetch < 1) {
            throw new IllegalArgumentException("prefetch " + prefetch + " is below 1");
        }
        String queue = names.get(0);
        MemoryQueue found = find(queue);
        if (found == null) {
            throw TransportException.lost("queue " + queue + " can't be consumed: it does not exist", null);
        }
        return new MemoryReceiver(found);
    }

    @Override
    public Browser openBrowser(String queue) {
        MemoryQueue found = find(queue);
        if (found == null) {
            throw TransportException.refused("queue " + queue + " does not exist, or can't be read", null);
        }
        return new MemoryBrowser(found);
    }

    private @Nullable MemoryQueue find(String queue) {
        lock.lock();
        try {
            requireOpen();
            return queues.get(queue);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public String describe() {
        return "in-memory transport";
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            arrived.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void bind(String routingKey, String queue) {
        bindings.computeIfAbsent(routingKey, key -> new TreeSet<>()).add(queue);
    }

    private void requireOpen() {
        if (closed) {
            throw TransportException.refused("the transport is closed", null);
        }
    }

    private PublishOutcome publish(OutgoingMessage message) {
        Destination to = message.destination();
        if (to instanceof Destination.Delayed later) {
            long due = ticker.nanoTime() + later.delay().toNanos();
            delayed.add(new DelayedMessage(due, delayedSoFar++, later.routingKey(), message));
            arrived.signalAll();
            return PublishOutcome.CONFIRMED;
        }
        if (to instanceof Destination.Queue queue) {
            return deliver(queue.name(), queues.containsKey(queue.name()) ? Set.of(queue.name()) : Set.of(), message);
        }
        String routingKey = ((Destination.Exchange) to).routingKey();
        return deliver(routingKey, bindings.getOrDefault(routingKey, Set.of()), message);
    }

    private PublishOutcome deliver(String routingKey, Set<String> targets, OutgoingMessage message) {
        if (targets.isEmpty()) {
            return new PublishOutcome.Unroutable("NO_ROUTE for routing key " + routingKey);
        }
        for (String target : targets) {
            MemoryQueue queue = queues.get(target);
            if (queue != null) {
                queue.add(routingKey, message);
            }
        }
        arrived.signalAll();
        return PublishOutcome.CONFIRMED;
    }

    /** Delivers what is due, and returns the nanoseconds until more will be. */
    private long deliverDue() {
        while (!delayed.isEmpty()) {
            long left = delayed.element().due() - ticker.nanoTime();
            if (left > 0) {
                return left;
            }
            DelayedMessage due = delayed.remove();
            PublishOutcome unused =
                    deliver(due.routingKey(), bindings.getOrDefault(due.routingKey(), Set.of()), due.message());
        }
        return Long.MAX_VALUE;
    }

    private record DelayedMessage(long due, long number, String routingKey, OutgoingMessage message)
            implements Comparable<DelayedMessage> {
        @Override
        public int compareTo(DelayedMessage other) {
            int byTime = Long.compare(due - other.due, 0);
            return byTime == 0 ? Long.compare(number, other.number) : byTime;
        }
    }

    private final class MemoryPublisher implements Publisher {

        private boolean ended;

        @Override
        public Publication send(List<OutgoingMessage> messages) {
            lock.lock();
            try {
                requireOpen();
                if (ended) {
                    throw TransportException.lost("the publisher is closed", null);
                }
                List<PublishOutcome> outcomes = new ArrayList<>(messages.size());
                for (OutgoingMessage message : messages) {
                    outcomes.add(publish(message));
                }
                return limit -> outcomes;
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void close() {
            ended = true;
        }
    }

    private final class MemoryBrowser implements Browser {

        private final MemoryQueue queue;
        private final long size;
        private final List<Delivery> taken = new ArrayList<>();

        private MemoryBrowser(MemoryQueue queue) {
            this.queue = queue;
            this.size = queue.size();
        }

        @Override
        public long size() {
            return size;
        }

        @Override
        public @Nullable Delivery next() {
            lock.lock();
            try {
                requireOpen();
                List<Delivery> next = queue.take(1, Long.MAX_VALUE);
                taken.addAll(next);
                return next.isEmpty() ? null : next.get(0);
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void remove(Delivery delivery) {
            lock.lock();
            try {
                requireOpen();
                taken.remove(delivery);
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void close() {
            lock.lock();
            try {
                queue.giveBack(taken);
                taken.clear();
                arrived.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    private final class MemoryReceiver implements Receiver {

        private final MemoryQueue queue;
        private final List<Delivery> unacknowledged = new ArrayList<>();
        private boolean ended;

        private MemoryReceiver(MemoryQueue queue) {
            this.queue = queue;
        }

        @Override
        public List<Delivery> receive(int maxCount, long maxBytes, java.time.Duration wait)
                throws InterruptedException {
            lock.lockInterruptibly();
            try {
                long left = wait.toNanos();
                long due = deliverDue();
                while (queue.isEmpty() && left > 0) {
                    requireUsable();
                    long slice = Math.min(left, Math.min(due, TimeUnit.MILLISECONDS.toNanos(100)));
                    left -= slice - Math.max(0, arrived.awaitNanos(slice));
                    due = deliverDue();
                }
                requireUsable();
                List<Delivery> batch = queue.take(maxCount, maxBytes);
                unacknowledged.addAll(batch);
                return batch;
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void acknowledgeUpTo(Delivery delivery) {
            lock.lock();
            try {
                requireUsable();
                unacknowledged.removeIf(one -> one.tag() <= delivery.tag());
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void close() {
            lock.lock();
            try {
                if (!ended) {
                    ended = true;
                    queue.giveBack(unacknowledged);
                    unacknowledged.clear();
                    arrived.signalAll();
                }
            } finally {
                lock.unlock();
            }
        }

        private void requireUsable() {
            if (ended || closed) {
                throw TransportException.lost("the receiver is closed", null);
            }
        }
    }
}
