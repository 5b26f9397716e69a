package io.cqrs.replica.internal.consume;

import io.cqrs.core.CqrsId;
import io.cqrs.replica.ReplicaDefinition;
import io.cqrs.replica.ReplicaHandler;
import io.cqrs.replica.RetryPolicy;
import io.cqrs.replica.internal.apply.HookFailure;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Whether and when a failed change of a model is tried again: its handler decides, or the policy. */
final class Retries {

    private static final Logger LOG = LoggerFactory.getLogger(Retries.class);

    /** Decides by the policy alone: what a handler does that overrides nothing. */
    private static final ReplicaHandler<Object> PLAIN = new ReplicaHandler<>() {};

    private final RetryPolicy policy;
    private final ReplicaHandler<?> handler;

    Retries(WorkerSettings settings, CqrsId model) {
        ReplicaDefinition definition = settings.definitions().get(model);
        this.policy = settings.retries();
        this.handler = definition == null || definition.handler() == null ? PLAIN : definition.handler();
    }

    boolean allow(int retries, Exception error) {
        Exception reason = error instanceof HookFailure hook ? hook.reason() : error;
        return ask("shouldRetry", one -> one.shouldRetry(retries, reason, policy));
    }

    Duration delay(int retry) {
        return ask("retryDelay", one -> one.retryDelay(retry, policy));
    }

    private <T> T ask(String hook, Function<ReplicaHandler<?>, T> question) {
        try {
            return Objects.requireNonNull(question.apply(handler), hook);
        } catch (RuntimeException | LinkageError | AssertionError | StackOverflowError e) {
            LOG.error("{}.{} failed, the policy decides", handler.getClass().getName(), hook, e);
            return question.apply(PLAIN);
        }
    }
}
