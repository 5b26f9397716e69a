package io.cqrs.tools.servers;

import java.util.Objects;

/** A running server, of which a private one can be stopped, killed and paused to see what becomes of its users. Thread-safe. */
public abstract sealed class Server permits BrokerServer, DatabaseServer {

    private final String description;
    private final ServerControl control;

    Server(String description, ServerControl control) {
        this.description = Objects.requireNonNull(description, "description");
        this.control = Objects.requireNonNull(control, "control");
    }

    /** Says which one it is and why. */
    public String description() {
        return description;
    }

    /** Says whether it may be stopped, killed, paused and started: only a private server is ours to do that with. */
    public boolean isOurs() {
        return control != ServerControl.NOT_OURS;
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

    /**
     * Freezes it: it keeps its connections, and says nothing.
     *
     * @throws ServerException if it is not ours
     */
    public void pause() {
        control.pause();
    }

    /**
     * Lets it go on after {@link #pause}.
     *
     * @throws ServerException if it is not ours
     */
    public void resume() {
        control.resume();
    }
}
