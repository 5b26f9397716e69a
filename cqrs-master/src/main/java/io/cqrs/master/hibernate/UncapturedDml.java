package io.cqrs.master.hibernate;

/**
 * What happens to a statement of HQL, criteria or native SQL that writes a master's table past capture: property {@code
 * cqrs.uncaptured_dml}. Where trigger capture is installed nothing is missed, and nothing is said with {@link #ALLOW}.
 */
public enum UncapturedDml {

    /** It is logged, once a statement. */
    WARN,

    /** It fails. */
    REFUSE,

    /** It runs. */
    ALLOW
}
