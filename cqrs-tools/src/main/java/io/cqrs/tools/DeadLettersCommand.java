package io.cqrs.tools;

import io.cqrs.replica.DeadLetter;
import io.cqrs.replica.DeadLetterFilter;
import io.cqrs.replica.DeadLetters;
import io.cqrs.tools.config.CqrsConfig;
import io.cqrs.transport.JsonText;
import io.cqrs.transport.rabbit.RabbitTransport;
import java.io.Console;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code cqrs dead-letters}. */
@Command(
        name = "dead-letters",
        aliases = "cqrs_dead_letters",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        description = "Lists, sends again or removes what a replica could not apply.",
        subcommands = {
            DeadLettersCommand.ListLetters.class,
            DeadLettersCommand.Dump.class,
            DeadLettersCommand.Retry.class,
            DeadLettersCommand.Purge.class
        },
        footer = {"%nExample:", "  cqrs dead-letters list --error constraint --config storefront.yaml"})
final class DeadLettersCommand extends CommandGroup {

    /** What all of them do. */
    abstract static class Base implements Callable<Integer> {

        @Mixin
        private ConfigOptions config = new ConfigOptions();

        @Mixin
        private LetterOptions letters = new LetterOptions();

        @Spec
        private CommandSpec spec;

        @SuppressWarnings("NullAway.Init") // picocli sets the fields
        Base() {}

        @Override
        public Integer call() throws Exception {
            DeadLetterFilter filter = letters.filter(spec.commandLine());
            CqrsConfig loaded = config.load(letters.config());
            try (RabbitTransport transport = loaded.impatientTransport()) {
                run(letters(transport, loaded), filter, out());
            }
            out().flush();
            return 0;
        }

        private static DeadLetters letters(RabbitTransport transport, CqrsConfig config) {
            String queue = config.requireQueue();
            @Nullable String letters = config.workers().deadLetterQueue();
            return letters == null ? DeadLetters.of(transport, queue) : DeadLetters.of(transport, queue, letters);
        }

        abstract void run(DeadLetters dead, DeadLetterFilter filter, PrintWriter out) throws Exception;

        PrintWriter out() {
            return spec.commandLine().getOut();
        }

        PrintWriter err() {
            return spec.commandLine().getErr();
        }
    }

    /** {@code cqrs dead-letters list}. */
    @Command(
            name = "list",
            mixinStandardHelpOptions = true,
            description = "Prints a line a letter: when it failed last, model, key, attempts, error. They stay.",
            footer = {"%nExample:", "  cqrs dead-letters list -q storefront --since 2026-11-21T00:00:00Z"})
    static final class ListLetters extends Base {

        @Option(names = "--json", description = "Print a JSON object a line, with all that is known but the body.")
        private boolean json;

        @Override
        void run(DeadLetters dead, DeadLetterFilter filter, PrintWriter out) throws Exception {
            long count = dead.forEach(filter, letter -> out.println(json ? json(letter) : line(letter)));
            out.flush();
            err().println(count + " dead letter(s) in " + dead.queue());
        }

        private static String line(DeadLetter letter) {
            return String.join(
                    "\t",
                    orDash(letter.lastFailure()),
                    orDash(letter.cqrsId()),
                    orDash(letter.key()),
                    Integer.toString(letter.attempts()),
                    orDash(letter.error()).replaceAll("\\s+", " "));
        }

        private static String json(DeadLetter letter) {
            Map<String, @Nullable Object> fields = new LinkedHashMap<>();
            fields.put("cqrs_id", letter.cqrsId());
            fields.put("key", letter.key());
            fields.put("attempts", (long) letter.attempts());
            fields.put("error_class", letter.errorClass());
            fields.put("error", letter.error());
            fields.put("stack", letter.stack());
            fields.put("first_failure", text(letter.firstFailure()));
            fields.put("last_failure", text(letter.lastFailure()));
            fields.put("source_queue", letter.sourceQueue());
            fields.put("bytes", (long) letter.body().length);
            return JsonText.write(fields);
        }

        private static @Nullable String text(@Nullable Instant time) {
            return time == null ? null : time.toString();
        }

        private static String orDash(@Nullable Object value) {
            return value == null ? "-" : value.toString();
        }
    }

    /** {@code cqrs dead-letters dump}. */
    @Command(
            name = "dump",
            mixinStandardHelpOptions = true,
            description = {
                "Prints the letters' bodies, a line each. They stay.",
                "What is no line of text is printed as {\"base64\": \"...\"}."
            },
            footer = {"%nExample:", "  cqrs dead-letters dump -q storefront > letters.jsonl"})
    static final class Dump extends Base {

        @Override
        void run(DeadLetters dead, DeadLetterFilter filter, PrintWriter out) throws Exception {
            long unused = dead.forEach(filter, letter -> out.println(text(letter.body())));
        }

        private static String text(byte[] body) {
            try {
                String text = StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(ByteBuffer.wrap(body))
                        .toString();
                if (text.chars().noneMatch(Character::isISOControl)) {
                    return text;
                }
            } catch (CharacterCodingException e) {
                // No text: as bytes, below.
            }
            return JsonText.write(Map.of("base64", Base64.getEncoder().encodeToString(body)));
        }
    }

    /** {@code cqrs dead-letters retry}. */
    @Command(
            name = "retry",
            mixinStandardHelpOptions = true,
            description = {
                "Sends letters to their queue again, in their order, as first attempts.",
                "Each is removed once the broker has confirmed the new one."
            },
            footer = {"%nExample:", "  cqrs dead-letters retry -q storefront --cqrs-id product --dry-run"})
    static final class Retry extends Base {

        @Option(names = "--dry-run", description = "Only say what would be sent.")
        private boolean dryRun;

        @Override
        void run(DeadLetters dead, DeadLetterFilter filter, PrintWriter out) throws Exception {
            long[] counts = {dead.forEach(filter, letter -> {}), 0};
            out.println("Total dead letters: " + counts[0]);
            if (counts[0] > 0) {
                // What arrives meanwhile was not counted: it stays.
                DeadLetterFilter counted = filter.withLimit(counts[0]);
                if (dryRun) {
                    long unused = dead.forEach(counted, letter -> print(letter, counts, out));
                } else {
                    long unused = dead.retry(counted, letter -> print(letter, counts, out));
                }
            }
        }

        private void print(DeadLetter letter, long[] counts, PrintWriter out) {
            out.println((dryRun ? "Would retry: " : "Retrying: ") + ++counts[1] + "/" + counts[0]);
            out.println(Dump.text(letter.body()));
        }
    }

    /** {@code cqrs dead-letters purge}. */
    @Command(
            name = "purge",
            mixinStandardHelpOptions = true,
            description = "Removes letters for good. Asks before, where there is a terminal.",
            footer = {"%nExample:", "  cqrs dead-letters purge -q storefront --cqrs-id product --yes"})
    static final class Purge extends Base {

        @Option(names = "--dry-run", description = "Only say how many would be removed.")
        private boolean dryRun;

        @Option(names = "--yes", description = "Do not ask.")
        private boolean yes;

        @Override
        void run(DeadLetters dead, DeadLetterFilter filter, PrintWriter out) throws Exception {
            if (dryRun) {
                out.println("Would purge: " + dead.forEach(filter, letter -> {}));
                return;
            }
            Console console = System.console();
            DeadLetterFilter shown = filter;
            if (!yes && console != null) {
                long count = dead.forEach(filter, letter -> {});
                String answer =
                        console.readLine("Remove %d dead letter(s) of %s for good? [y/N] ", count, dead.queue());
                if (answer == null || !answer.strip().equalsIgnoreCase("y")) {
                    out.println("Nothing was removed");
                    return;
                }
                if (count > 0) {
                    // Not what arrived while somebody thought it over.
                    shown = filter.withLimit(count);
                }
            }
            err().println(dead.purge(shown) + " dead letter(s) removed from " + dead.queue());
            out.println("Purged");
        }
    }
}
