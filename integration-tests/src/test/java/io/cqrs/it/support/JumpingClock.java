package io.cqrs.it.support;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;

/** The system's clock, set wrong by so much. Thread-safe. */
public final class JumpingClock extends Clock {

    private volatile Duration offset = Duration.ZERO;

    /** Sets it wrong by this from now on. */
    public void jump(Duration newOffset) {
        offset = newOffset;
    }

    @Override
    public Instant instant() {
        return Instant.now().plus(offset);
    }

    @Override
    public ZoneId getZone() {
        return Clock.systemUTC().getZone();
    }

    @Override
    public Clock withZone(ZoneId zone) {
        throw new UnsupportedOperationException();
    }
}
