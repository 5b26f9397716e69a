package io.cqrs.it.chaos;

/** The processes of the services. */
enum Role {
    MASTER("writing"),
    RELAY_1(""),
    RELAY_2(""),
    /** Two workers of the first replica. */
    WORKER_1(""),
    /** One more. */
    WORKER_2(""),
    /** The second replica's. */
    HOOKS("consuming");

    /** What it prints once its JVM and Hibernate have started, where that takes long. */
    final String running;

    Role(String running) {
        this.running = running;
    }
}
