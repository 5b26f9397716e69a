package io.cqrs.transport.rabbit;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.ConfirmCallback;
import com.rabbitmq.client.Return;
import io.cqrs.core.TransportException;
import io.cqrs.transport.spi.OutgoingMessage;
import io.cqrs.transport.spi.PublishOutcome;
import io.cqrs.transport.spi.Publisher;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Matches the broker's confirms and returns with the messages of one channel.
 *
 * <p>Messages of a batch have consecutive sequence numbers. A return comes before the confirm of the same message
 * (RabbitMQ, "Consumer Acknowledgements and Publisher Confirms"), so the outcome it sets stays. Thread-safe: the owner
 * of the channel waits, the connection's thread reports.
 */
final class Confirms {

    /**
     * After so long without any confirm, while nobody is held back, there will be none: RabbitMQ 3.10 keeps what is published
     * to a quorum queue that was deleted and declared anew, for ever, and does not even close that channel.
     */
    private static final long STALL_NANOS = Duration.ofSeconds(10).toNanos();

    private static final long LOOK_NANOS = Duration.ofMillis(100).toNanos();

    private final Channel channel;
    private final ConnectionKeeper keeper;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Deque<Batch> pending = new ArrayDeque<>();
    private @Nullable Throwable lost;
    private long confirmedAt = System.nanoTime();

    Confirms(Channel channel, ConnectionKeeper keeper) {
        this.channel = channel;
        this.keeper = keeper;
        ConfirmCallback ack = (number, multiple) -> settle(number, multiple, PublishOutcome.CONFIRMED);
        ConfirmCallback nack = (number, multiple) -> settle(number, multiple, PublishOutcome.REFUSED);
        channel.addConfirmListener(ack, nack);
        channel.addReturnListener(this::returned);
        channel.addShutdownListener(this::lose);
    }

    Batch begin(long firstNumber, List<OutgoingMessage> messages) {
        Batch batch = new Batch(firstNumber, List.copyOf(messages));
        lock.lock();
        try {
            if (batch.open > 0) {
                pending.add(batch);
            }
        } finally {
            lock.unlock();
        }
        return batch;
    }

    private void settle(long number, boolean multiple, PublishOutcome outcome) {
        lock.lock();
        try {
            confirmedAt = System.nanoTime();
            for (Batch batch : pending) {
                if (batch.firstNumber > number) {
                    break;
                }
                batch.settle(number, multiple, outcome);
            }
            if (pending.removeIf(batch -> batch.open == 0)) {
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    private void returned(Return message) {
        lock.lock();
        try {
            String id = message.getProperties().getMessageId();
            PublishOutcome outcome = new PublishOutcome.Unroutable(
                    message.getReplyText() + " for routing key " + message.getRoutingKey());
            for (Batch batch : pending) {
                if (batch.markReturned(id, outcome)) {
                    return;
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private void lose(Throwable cause) {
        lock.lock();
        try {
            lost = cause;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** The messages of one send. */
    final class Batch implements Publisher.Publication {

        private final long firstNumber;
        private final List<OutgoingMessage> messages;
        private final @Nullable PublishOutcome[] outcomes;
        private final boolean[] settled;
        private int firstOpen;
        private int open;

        private Batch(long firstNumber, List<OutgoingMessage> messages) {
            this.firstNumber = firstNumber;
            this.messages = messages;
            this.outcomes = new @Nullable PublishOutcome[messages.size()];
            this.settled = new boolean[messages.size()];
            this.open = messages.size();
        }

        @Override
        public List<PublishOutcome> await(Duration limit) throws InterruptedException {
            if (!isSettledWithin(limit)) {
                // The channel would not close, either.
                keeper.giveUp(channel.getConnection());
                throw TransportException.lost(
                        "the broker confirmed nothing for " + Duration.ofNanos(STALL_NANOS) + ", and still holds "
                                + open + " message(s)",
                        null);
            }
            return List.of(outcomes);
        }

        /** Returns false where nothing is confirmed any more. */
        private boolean isSettledWithin(Duration limit) throws InterruptedException {
            long left = limit.toNanos();
            long start = System.nanoTime();
            lock.lockInterruptibly();
            try {
                while (open > 0) {
                    if (lost != null || !channel.isOpen()) {
                        throw TransportException.lost(
                                "the channel was lost before " + open + " message(s) were confirmed", lost);
                    }
                    if (left <= 0) {
                        throw TransportException.lost(
                                "the broker did not confirm " + open + " message(s) within " + limit, null);
                    }
                    long now = System.nanoTime();
                    if (keeper.blocked() != null) {
                        confirmedAt = now;
                    }
                    if (Math.min(now - confirmedAt, now - start) > STALL_NANOS) {
                        return false;
                    }
                    long look = Math.min(left, LOOK_NANOS);
                    left -= look - changed.awaitNanos(look);
                }
            } finally {
                lock.unlock();
            }
            return true;
        }

        private void settle(long number, boolean multiple, PublishOutcome outcome) {
            int last = (int) Math.min(number - firstNumber, outcomes.length - 1L);
            if (!multiple && number - firstNumber >= outcomes.length) {
                return;
            }
            for (int i = multiple ? firstOpen : last; i <= last; i++) {
                if (!settled[i]) {
                    settled[i] = true;
                    outcomes[i] = outcomes[i] == null ? outcome : outcomes[i];
                    open--;
                }
            }
            while (firstOpen < settled.length && settled[firstOpen]) {
                firstOpen++;
            }
        }

        private boolean markReturned(@Nullable String id, PublishOutcome outcome) {
            for (int i = firstOpen; i < outcomes.length; i++) {
                if (outcomes[i] == null && messages.get(i).messageId().equals(id)) {
                    outcomes[i] = outcome;
                    return true;
                }
            }
            return false;
        }
    }
}
