package io.cqrs.replica;

import io.cqrs.core.CqrsId;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells all of them, in their order. */
record Listeners(List<ReplicaListener> all) implements ReplicaListener {

    private static final Logger LOG = LoggerFactory.getLogger(Listeners.class);

    @Override
    public void ended(CqrsId cqrsId, Outcome outcome, int count) {
        tell(one -> one.ended(cqrsId, outcome, count));
    }

    @Override
    public void applied(CqrsId cqrsId, Duration lag) {
        tell(one -> one.applied(cqrsId, lag));
    }

    @Override
    public void batch(int messages, Duration time, Set<String> traceParents) {
        tell(one -> one.batch(messages, time, traceParents));
    }

    @Override
    public void retried(CqrsId cqrsId, Throwable error) {
        tell(one -> one.retried(cqrsId, error));
    }

    @Override
    public void deadLettered(@Nullable CqrsId cqrsId, Throwable error) {
        tell(one -> one.deadLettered(cqrsId, error));
    }

    /** What a listener does wrong is no failure of the changes. */
    private void tell(Consumer<ReplicaListener> news) {
        for (ReplicaListener one : all) {
            try {
                news.accept(one);
            } catch (RuntimeException | LinkageError e) {
                LOG.warn("listener {} failed", one.getClass().getName(), e);
            }
        }
    }
}
