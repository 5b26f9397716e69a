package io.cqrs.core;

/** What a message says about its entity. */
public enum Signal {
    /** The entity was created or changed: the message holds its new state. */
    SAVE,
    /** The entity was deleted. */
    DELETE,
    /** The state as it is in the master's database, sent to repair or to fill: also rewrites an equal row. */
    SYNC
}
