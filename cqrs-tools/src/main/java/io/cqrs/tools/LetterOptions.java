package io.cqrs.tools;

import io.cqrs.replica.DeadLetterFilter;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The options that say which dead letters are meant. */
final class LetterOptions {

    @Option(
            names = {"-q", "--queue"},
            paramLabel = "NAME",
            description = "The replica's queue; its dead letters are in dead_letter_NAME. Variable: CQRS_QUEUE.")
    private @Nullable String queue;

    @Option(
            names = {"-c", "-cid", "--cqrs-id"},
            paramLabel = "MODEL",
            description = "Only letters of this model.")
    private @Nullable String cqrsId;

    @Option(names = "--key", paramLabel = "KEY", description = "Only letters of this entity, as list shows its key.")
    private @Nullable String key;

    @Option(
            names = "--error",
            paramLabel = "TEXT",
            description = "Only letters whose error's class or message contains this.")
    private @Nullable String error;

    @Option(
            names = "--since",
            paramLabel = "TIME",
            description = "Only letters that failed last at this time or later: 2026-11-21T01:16:00Z, or PT2H for two"
                    + " hours ago.")
    private @Nullable String since;

    @Option(names = "--limit", paramLabel = "N", description = "At most so many, from the head of the queue.")
    private long limit = Long.MAX_VALUE;

    Map<String, String> config() {
        return queue == null ? Map.of() : Map.of("queue", queue);
    }

    DeadLetterFilter filter(CommandLine line) {
        if (limit < 1) {
            throw new ParameterException(line, "--limit is " + limit + ": it must be 1 or more");
        }
        return new DeadLetterFilter(cqrsId, key, error, since == null ? null : time(line, since), limit);
    }

    private static Instant time(CommandLine line, String text) {
        try {
            return text.startsWith("P") ? Instant.now().minus(Duration.parse(text)) : Instant.parse(text);
        } catch (DateTimeException e) {
            throw new ParameterException(
                    line, "--since is \"" + text + "\": give a time, as 2026-11-21T01:16:00Z, or an age, as PT2H");
        }
    }
}
