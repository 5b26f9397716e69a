package io.cqrs.replica.internal.consume;

import io.cqrs.core.jdbc.SqlStates;
import java.sql.SQLException;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** Says why a change failed without its data, which PostgreSQL's details repeat. Stateless. */
final class Reasons {

    private Reasons() {}

    static String of(Exception error) {
        SQLException sql = SqlStates.find(error);
        if (sql == null) {
            return String.valueOf(error.getMessage());
        }
        String state = SqlStates.state(sql);
        ServerErrorMessage server = sql instanceof PSQLException known ? known.getServerErrorMessage() : null;
        if (server == null || state.startsWith("22")) {
            // Errors of class 22 quote the value in their first line already.
            return "the database refuses a value or a statement (SQLSTATE " + state + ")";
        }
        String constraint = server.getConstraint();
        return server.getMessage() + " (SQLSTATE " + state + (constraint == null ? "" : ", constraint " + constraint)
                + ")";
    }
}
