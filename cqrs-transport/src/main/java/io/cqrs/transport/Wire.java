package io.cqrs.transport;

/** How a relay puts changes into messages; replicas understand both. */
public enum Wire {
    /** One message a change, as django-cqrs does: the default. */
    SINGLE,

    /**
     * Changes of one model that wait together in one message (docs/protocol.md): several times as fast, since the broker's
     * cost is that of messages. For masters all of whose replicas are of this framework: they go by a routing key of their
     * own, which no queue of a Django service is bound by.
     */
    BATCH
}
