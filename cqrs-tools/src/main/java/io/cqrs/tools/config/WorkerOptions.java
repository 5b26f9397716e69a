package io.cqrs.tools.config;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.replica.CqrsReplica;
import io.cqrs.replica.RetryPolicy;
import io.cqrs.transport.spi.ReplicaQueue;
import java.time.DateTimeException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** How the workers of {@code cqrs consume} work, as configured; what is not keeps the library's default. Immutable. */
public final class WorkerOptions {

    static final Set<String> KEYS = Set.of(
            "workers",
            "batch_size",
            "batch_bytes",
            "max_retries",
            "statement_timeout",
            "parent_patience",
            "tombstone_retention",
            "dead_letter_ttl",
            "dead_letter_queue",
            "queue_type",
            "shards");

    private final Map<String, String> settings;

    WorkerOptions(Map<String, String> all) {
        Map<String, String> known = new HashMap<>(all);
        known.keySet().retainAll(KEYS);
        this.settings = Map.copyOf(known);
        // What is wrong is told before anything is opened.
        applyTo(CqrsReplica.builder(UrlDataSource.of("jdbc:postgresql:", null, null)));
    }

    /** Returns what is configured, by key. */
    public Map<String, String> settings() {
        return settings;
    }

    /** Returns the name of the dead letter queue, or null for the one that goes with the queue. */
    public @Nullable String deadLetterQueue() {
        return settings.get("dead_letter_queue");
    }

    /** Returns how queues are made that do not exist. */
    public ReplicaQueue.Type queueType() {
        return ReplicaQueue.Type.valueOf(
                settings.getOrDefault("queue_type", "quorum").toUpperCase(Locale.ROOT));
    }

    /** Returns over how many queues messages are spread. */
    public int shards() {
        return Integer.parseInt(settings.getOrDefault("shards", "1"));
    }

    /**
     * Sets what is configured.
     *
     * @throws CqrsConfigurationException if a value is none of its kind, or out of range, naming the key
     */
    public void applyTo(CqrsReplica.Builder builder) {
        set("workers", text -> builder.workers(Integer.parseInt(text)));
        set("batch_size", text -> builder.batchSize(Integer.parseInt(text)));
        set("batch_bytes", text -> builder.batchBytes(Long.parseLong(text)));
        set(
                "max_retries",
                text -> builder.retries(new RetryPolicy(Integer.parseInt(text), RetryPolicy.STANDARD.backoff())));
        set("statement_timeout", text -> builder.statementTimeout(Duration.parse(text)));
        set("parent_patience", text -> builder.parentPatience(Duration.parse(text)));
        set("tombstone_retention", text -> builder.tombstoneRetention(Duration.parse(text)));
        set("dead_letter_ttl", text -> builder.deadLetterTimeToLive(Duration.parse(text)));
        set("dead_letter_queue", builder::deadLetterQueue);
        set("queue_type", text -> builder.queueType(ReplicaQueue.Type.valueOf(text.toUpperCase(Locale.ROOT))));
        set("shards", text -> builder.shards(Integer.parseInt(text)));
    }

    private void set(String key, Consumer<String> setter) {
        String text = settings.get(key);
        if (text == null) {
            return;
        }
        try {
            setter.accept(text);
        } catch (NumberFormatException e) {
            throw new CqrsConfigurationException(key + " is \"" + text + "\", which is no whole number", e);
        } catch (DateTimeException e) {
            throw new CqrsConfigurationException(
                    key + " is \"" + text + "\", which is no duration, as PT30S, PT1H or P30D", e);
        } catch (IllegalArgumentException e) {
            throw new CqrsConfigurationException(key + " is \"" + text + "\": " + e.getMessage(), e);
        }
    }
}
