package io.cqrs.tools;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.jdbc.SqlStates;
import java.sql.SQLException;

/** Tells a filter's value that does not fit its field from other trouble of the database. Stateless. */
final class FilterValues {

    private FilterValues() {}

    /**
     * Makes sure that an error is not a filter's.
     *
     * @throws CqrsConfigurationException if it is, with what the database said of the value
     */
    static void requireFit(Exception error) {
        SQLException sql = SqlStates.find(error);
        if (sql != null && SqlStates.isDataException(sql)) {
            throw new CqrsConfigurationException(
                    "Bad filter kwargs! A value does not fit its field: " + sql.getMessage(), error);
        }
    }
}
