package io.cqrs.replica.internal.consume;

import io.cqrs.core.ReplicationException;
import io.cqrs.core.jdbc.SqlStates;
import java.sql.SQLException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** Says why a change failed without its data, which PostgreSQL's details repeat. Stateless. */
final class Reasons {

    private static final int FRAMES = 4;
    private static final int STACK_LENGTH = 1000;
    private static final int LINE_LENGTH = 1000;

    private Reasons() {}

    static String of(Exception error) {
        SQLException sql = SqlStates.find(error);
        if (sql == null || error instanceof ReplicationException) {
            return String.valueOf(error.getMessage());
        }
        String state = SqlStates.state(sql);
        ServerErrorMessage server = server(sql);
        if (server == null || SqlStates.isDataException(sql)) {
            // Errors of class 22 quote the value in their first line already.
            return "the database refuses a value or a statement (SQLSTATE " + state + ")";
        }
        String constraint = server.getConstraint();
        String column = server.getColumn();
        return server.getMessage() + " (SQLSTATE " + state + (constraint == null ? "" : ", constraint " + constraint)
                + (column == null ? "" : ", column " + column) + ")";
    }

    /** Makes one line of a reason, of a length that a log can bear: parts of it come from the message. */
    static String line(String reason) {
        StringBuilder line = new StringBuilder(reason.substring(0, Math.min(reason.length(), LINE_LENGTH)));
        for (int i = 0; i < line.length(); i++) {
            if (Character.isISOControl(line.charAt(i))) {
                line.setCharAt(i, ' ');
            }
        }
        return line.toString();
    }

    /** Looks behind the error of a batch of statements, which says nothing itself. */
    private static @Nullable ServerErrorMessage server(SQLException error) {
        for (Throwable e = error; e != null; e = e.getCause()) {
            if (e instanceof PSQLException known && known.getServerErrorMessage() != null) {
                return known.getServerErrorMessage();
            }
        }
        return null;
    }

    /** Where an error and its causes came from, without their messages, which may hold data. */
    static String stack(Throwable error) {
        StringBuilder text = new StringBuilder();
        for (Throwable e = error; e != null && text.length() < STACK_LENGTH; e = e.getCause()) {
            text.append(text.isEmpty() ? "" : "caused by ")
                    .append(e.getClass().getName())
                    .append('\n');
            Arrays.stream(e.getStackTrace())
                    .limit(FRAMES)
                    .forEach(frame -> text.append("  at ").append(frame).append('\n'));
        }
        return text.toString();
    }
}
