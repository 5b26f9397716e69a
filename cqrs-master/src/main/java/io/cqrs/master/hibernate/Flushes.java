package io.cqrs.master.hibernate;

import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.event.spi.FlushEvent;
import org.hibernate.event.spi.FlushEventListener;
import org.jspecify.annotations.Nullable;

/** Tells capture of the flushes that came to their end. Thread-safe. */
final class Flushes implements FlushEventListener {

    private static final long serialVersionUID = 1L;

    private final transient Capture capture;

    Flushes(Capture capture) {
        this.capture = capture;
    }

    @Override
    public void onFlush(FlushEvent event) {
        @Nullable SharedSessionContractImplementor session = EventSessions.of(event);
        if (session != null) {
            capture.flushed(session);
        }
    }
}
