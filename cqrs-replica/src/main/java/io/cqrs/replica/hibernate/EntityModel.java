package io.cqrs.replica.hibernate;

import java.util.List;
import java.util.Map;

/**
 * A replica entity that has hooks.
 *
 * @param type its class
 * @param ids makes its ids
 * @param keyNames the attributes of the id by their fields on the wire
 * @param attributes what the master's fields fill
 * @param revision what holds the revision
 * @param updated what holds the time
 * @param custom whether only hooks know what the data means
 */
record EntityModel(
        Class<?> type,
        KeyMaker ids,
        Map<String, String> keyNames,
        List<FilledAttribute> attributes,
        FilledAttribute revision,
        FilledAttribute updated,
        boolean custom) {}
