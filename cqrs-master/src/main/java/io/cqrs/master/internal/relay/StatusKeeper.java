package io.cqrs.master.internal.relay;

import io.cqrs.master.RelayListener;
import io.cqrs.master.RelayStatus;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Remembers what a relay last told, and passes it on, one at a time. Thread-safe. */
public final class StatusKeeper implements RelayListener {

    private final RelayListener next;
    private final Set<String> held = ConcurrentHashMap.newKeySet();
    private volatile boolean active;
    private volatile long waiting;
    private volatile Duration oldest = Duration.ZERO;

    /** Passes all on to this listener. */
    public StatusKeeper(RelayListener next) {
        this.next = next;
    }

    /** Returns the status, with what the relay failed with last. */
    public RelayStatus status(@Nullable Throwable failure) {
        return new RelayStatus(active, waiting, oldest, Set.copyOf(held), failure);
    }

    /** Says whether the relay is the active one. */
    public boolean isActive() {
        return active;
    }

    @Override
    public synchronized void leading(boolean now) {
        active = now;
        held.clear();
        tellWaiting(0, Duration.ZERO);
        next.leading(now);
    }

    @Override
    public synchronized void published(int count) {
        next.published(count);
    }

    @Override
    public synchronized void waiting(long rows, Duration since) {
        // Whoever counted did not know what changed meanwhile.
        if (active) {
            tellWaiting(rows, since);
        }
    }

    private void tellWaiting(long rows, Duration since) {
        waiting = rows;
        oldest = since;
        next.waiting(rows, since);
    }

    @Override
    public synchronized void held(String routingKey) {
        held.add(routingKey);
        next.held(routingKey);
    }

    @Override
    public synchronized void released(String routingKey) {
        held.remove(routingKey);
        next.released(routingKey);
    }

    @Override
    public synchronized void returned(String routingKey) {
        next.returned(routingKey);
    }

    @Override
    public synchronized void refused(String routingKey) {
        next.refused(routingKey);
    }

    @Override
    public synchronized void dropped(int count) {
        next.dropped(count);
    }
}
