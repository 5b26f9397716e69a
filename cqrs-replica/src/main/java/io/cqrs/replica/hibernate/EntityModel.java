package io.cqrs.replica.hibernate;

import java.util.List;

/**
 * A replica entity that has hooks.
 *
 * @param type its class
 * @param idName the id's attribute
 * @param idField the id's field on the wire
 * @param attributes what the master's fields fill
 * @param revision what holds the revision
 * @param updated what holds the time
 * @param custom whether only hooks know what the data means
 */
record EntityModel(
        Class<?> type,
        String idName,
        String idField,
        List<FilledAttribute> attributes,
        FilledAttribute revision,
        FilledAttribute updated,
        boolean custom) {}
