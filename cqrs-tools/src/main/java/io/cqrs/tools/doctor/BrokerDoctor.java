package io.cqrs.tools.doctor;

import io.cqrs.core.TransportException;
import io.cqrs.transport.rabbit.QueueStatus;
import io.cqrs.transport.rabbit.RabbitTransport;
import io.cqrs.transport.spi.ReplicaQueue;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Looks at a broker: version, the service's queue, who consumes it, its dead letters. */
public final class BrokerDoctor {

    private final RabbitTransport transport;

    /** Looks through this transport, which stays the caller's to close. */
    public BrokerDoctor(RabbitTransport transport) {
        this.transport = transport;
    }

    /**
     * Returns what it found; a broker that can't be reached is a finding, too.
     *
     * @param queue the service's queue, or null where it has none
     */
    public List<Finding> examine(@Nullable ReplicaQueue queue) throws InterruptedException {
        List<Finding> findings = new ArrayList<>();
        try {
            findings.add(version(transport.serverVersion()));
            if (queue != null) {
                QueueStatus main = transport.inspect(queue);
                QueueStatus letters = transport.inspect(queue.deadLetters());
                findings.add(queue(queue.name(), main));
                findings.add(letters(queue.deadLetters(), letters));
                if (main != null && letters != null) {
                    findings.add(arguments(queue));
                }
            }
        } catch (TransportException e) {
            findings.add(Finding.fail(
                    "broker: " + e.getMessage(), "start it, or correct transport.url, its user and its password"));
        }
        return findings;
    }

    private Finding arguments(ReplicaQueue queue) throws InterruptedException {
        return transport.isAsDeclared(queue)
                ? Finding.ok("queues: declared as they would be here, " + queue.type())
                : Finding.warn(
                        "queues: " + queue.name() + " or " + queue.deadLetters()
                                + " has another type or other arguments than it would get here (" + queue.type() + ")",
                        "set queue_type as it is; or drain and delete them and run `cqrs consume`, which makes them with"
                                + " delivery limit and dead-lettering that lose nothing");
    }

    private static Finding version(String version) {
        String text = "broker: RabbitMQ " + (version.isEmpty() ? "of an unknown version" : version);
        String[] parts = version.split("\\.", -1);
        try {
            int major = Integer.parseInt(parts[0]);
            int minor = parts.length > 1 ? Integer.parseInt(parts[1]) : 0;
            if (major < 3 || (major == 3 && minor < 10)) {
                return Finding.fail(text, "upgrade it to 3.10 or later: older ones lose what dead-letters in a crash");
            }
            return major > 3
                    ? Finding.warn(text, "it is not among the versions this was tested with (3.10): try it out first")
                    : Finding.ok(text);
        } catch (NumberFormatException e) {
            return Finding.warn(text, "make sure that it is 3.10 or later");
        }
    }

    private static Finding queue(String name, @Nullable QueueStatus found) {
        if (found == null) {
            return Finding.fail(
                    "queue " + name + " does not exist: nothing is kept for this service",
                    "run `cqrs consume --bind-only`, which makes and binds it, or correct the name");
        }
        String text = String.format(
                Locale.ROOT, "queue %s: %d waiting, %d worker(s)", name, found.ready(), found.consumers());
        return found.consumers() == 0
                ? Finding.warn(
                        text,
                        "run `cqrs consume`, or start the service: nobody consumes it. Both bind it to its models again, too")
                : Finding.ok(text);
    }

    private static Finding letters(String name, @Nullable QueueStatus found) {
        if (found == null) {
            return Finding.warn("dead letter queue " + name + " does not exist", "run `cqrs consume`, which makes it");
        }
        String text = "dead letter queue " + name + ": " + found.ready() + " letter(s)";
        return found.ready() > 0
                ? Finding.warn(text, "see `cqrs dead-letters list`, mend what it tells, and `cqrs dead-letters retry`")
                : Finding.ok(text);
    }
}
