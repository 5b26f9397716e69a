package io.cqrs.tools;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsException;
import io.cqrs.core.jdbc.SqlStates;
import io.cqrs.tools.servers.ServerException;
import java.sql.SQLException;
import picocli.CommandLine;

/** What the commands exit with: 0 ok, 1 error, 2 usage, 3 configuration, 4 unreachable, 5 partly failed, 10 differences found. */
final class ExitCodes {

    static final int ERROR = CommandLine.ExitCode.SOFTWARE;
    static final int CONFIGURATION = 3;
    static final int UNREACHABLE = 4;
    static final int PARTLY = 5;
    static final int DIFFERENCES = 10;

    private ExitCodes() {}

    static int of(Throwable error) {
        SQLException sql = SqlStates.find(error);
        boolean database = sql != null && (SqlStates.isUnavailable(sql) || SqlStates.isNoEntry(sql));
        boolean broker = error instanceof CqrsException known && known.isTransient();
        if (database || broker || error instanceof ServerException) {
            return UNREACHABLE;
        }
        boolean configuration =
                error instanceof CqrsConfigurationException || error instanceof IllegalArgumentException;
        return configuration ? CONFIGURATION : ERROR;
    }
}
