package io.cqrs.it.chaos;

/** The processes of the services. */
enum Role {
    MASTER,
    RELAY_1,
    RELAY_2,
    /** Two workers of the first replica. */
    WORKER_1,
    /** One more. */
    WORKER_2,
    /** The second replica's. */
    HOOKS
}
