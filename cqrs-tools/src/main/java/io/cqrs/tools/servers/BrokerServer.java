package io.cqrs.tools.servers;

import java.util.Objects;

/** A running RabbitMQ. Thread-safe. */
public final class BrokerServer {

    private final String url;
    private final String description;
    private final Control control;

    BrokerServer(String url, String description, Control control) {
        this.url = Objects.requireNonNull(url, "url");
        this.description = description;
        this.control = control;
    }

    static BrokerServer given(String url) {
        return new BrokerServer(url, "RabbitMQ from " + Servers.AMQP_URL, Control.NOT_OURS);
    }

    /** Returns its URL with credentials. */
    public String url() {
        return url;
    }

    /** Says which one it is and why. */
    public String description() {
        return description;
    }

    /** Says whether {@link #stop}, {@link #kill} and {@link #start} work: only a private server is ours to stop. */
    public boolean isOurs() {
        return control != Control.NOT_OURS;
    }

    /**
     * Stops it with its data kept, as an outage.
     *
     * @throws ServerException if it is not ours
     */
    public void stop() {
        control.stop();
    }

    /**
     * Ends it at once, as a crash does; what it had on its disk stays.
     *
     * @throws ServerException if it is not ours
     */
    public void kill() {
        control.kill();
    }

    /**
     * Starts it again after {@link #stop} or {@link #kill}, and waits until it answers.
     *
     * @throws ServerException if it is not ours, or does not start
     */
    public void start() {
        control.start();
    }

    /** What can be done to a server. */
    interface Control {

        /** Of a server that somebody else runs. */
        Control NOT_OURS = new Control() {
            @Override
            public void stop() {
                throw new ServerException("the broker is not ours to stop", null);
            }

            @Override
            public void kill() {
                throw new ServerException("the broker is not ours to kill", null);
            }

            @Override
            public void start() {
                throw new ServerException("the broker is not ours to start", null);
            }
        };

        void stop();

        void kill();

        void start();
    }
}
