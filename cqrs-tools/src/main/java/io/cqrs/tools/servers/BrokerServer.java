package io.cqrs.tools.servers;

import java.util.List;
import java.util.Objects;
import java.util.function.Function;

/** A running RabbitMQ. Thread-safe. */
public final class BrokerServer extends Server {

    private final String url;
    private final Function<List<String>, String> rabbitmqctl;

    BrokerServer(String url, String description, ServerControl control, Function<List<String>, String> rabbitmqctl) {
        super(description, control);
        this.url = Objects.requireNonNull(url, "url");
        this.rabbitmqctl = rabbitmqctl;
    }

    static BrokerServer given(String url) {
        return new BrokerServer(url, "RabbitMQ from " + Servers.AMQP_URL, ServerControl.NOT_OURS, arguments -> {
            throw new ServerException("the broker is not ours to administer", null);
        });
    }

    /** Returns its URL with credentials. */
    public String url() {
        return url;
    }

    /**
     * Runs {@code rabbitmqctl} for it.
     *
     * @return what it printed
     * @throws ServerException if it is not ours, or the command fails
     */
    public String rabbitmqctl(String... arguments) {
        return rabbitmqctl.apply(List.of(arguments));
    }
}
