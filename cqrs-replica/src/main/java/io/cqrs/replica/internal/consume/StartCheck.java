package io.cqrs.replica.internal.consume;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.jdbc.ConnectionSource;
import io.cqrs.core.jdbc.SqlStates;
import io.cqrs.core.lifecycle.Waiter;
import io.cqrs.replica.internal.apply.BatchApplier;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientException;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Checks the declarations against the database before the workers start; waits while that is down. */
public final class StartCheck {

    private static final Logger LOG = LoggerFactory.getLogger(StartCheck.class);
    private static final Duration DATABASE_RETRY = Duration.ofSeconds(2);

    private final WorkerSettings settings;
    private final ConnectionSource database;
    private final Waiter waiter;

    /** Creates the check; waking the waiter ends a wait. */
    public StartCheck(WorkerSettings settings, ConnectionSource database, Waiter waiter) {
        this.settings = settings;
        this.database = database;
        this.waiter = waiter;
    }

    /**
     * Returns when all fits, or nobody waits for it any more.
     *
     * @throws CqrsConfigurationException if a table does not fit its declaration, or the framework's schema is missing
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    public void await(BooleanSupplier given) throws InterruptedException {
        while (!given.getAsBoolean()) {
            try (Connection connection = database.open();
                    BatchApplier unused = Worker.openApplier(connection, settings)) {
                return;
            } catch (SQLException e) {
                boolean passing = SqlStates.isUnavailable(e)
                        || SqlStates.isRefusing(e)
                        || SqlStates.isContention(e)
                        || e instanceof SQLTransientException;
                if (!passing) {
                    throw new CqrsConfigurationException("the replica's database refuses: " + e.getMessage(), e);
                }
                LOG.warn("the replica's database can't be reached ({}), trying again", e.getMessage());
                boolean unused = waiter.await(DATABASE_RETRY);
            }
        }
    }
}
