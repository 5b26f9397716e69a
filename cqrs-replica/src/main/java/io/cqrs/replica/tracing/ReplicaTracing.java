package io.cqrs.replica.tracing;

import io.cqrs.replica.ReplicaListener;
import io.cqrs.transport.Headers;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Gives each batch a span, linked to the traces in which the master made its changes: {@code process <queue>}, of kind
 * CONSUMER, named and attributed as OpenTelemetry's semantic conventions for messaging say. Batches whose messages carry no
 * trace get none. Thread-safe.
 */
public final class ReplicaTracing implements ReplicaListener {

    /** As many links as OpenTelemetry's SDK keeps unless told otherwise. */
    private static final int MOST_LINKS = 128;

    private final Tracer tracer;
    private final String queue;
    private final Clock clock;

    /** Takes the tracer of {@code io.cqrs}; it is the caller's. */
    public ReplicaTracing(OpenTelemetry telemetry, String queue) {
        this.tracer = telemetry.getTracer("io.cqrs");
        this.queue = queue;
        this.clock = Clock.systemUTC();
    }

    @Override
    public void batch(int messages, Duration time, Set<String> traceParents) {
        if (traceParents.isEmpty()) {
            return;
        }
        Instant end = clock.instant();
        SpanBuilder builder = tracer.spanBuilder("process " + queue)
                .setNoParent()
                .setSpanKind(SpanKind.CONSUMER)
                .setStartTimestamp(end.minus(time))
                .setAttribute("messaging.system", "rabbitmq")
                .setAttribute("messaging.operation.type", "process")
                .setAttribute("messaging.destination.name", queue)
                .setAttribute("messaging.batch.message_count", (long) messages);
        traceParents.stream()
                .limit(MOST_LINKS)
                .map(ReplicaTracing::context)
                .filter(SpanContext::isValid)
                .forEach(builder::addLink);
        builder.startSpan().end(end);
    }

    private static SpanContext context(String traceParent) {
        Context context = W3CTraceContextPropagator.getInstance().extract(Context.root(), traceParent, Header.GETTER);
        return Span.fromContext(context).getSpanContext();
    }

    /** The one header. */
    private enum Header implements TextMapGetter<String> {
        GETTER;

        @Override
        public Iterable<String> keys(String traceParent) {
            return List.of(Headers.TRACE_PARENT);
        }

        @Override
        public @Nullable String get(@Nullable String traceParent, String key) {
            return key.equals(Headers.TRACE_PARENT) ? traceParent : null;
        }
    }
}
