package io.cqrs.replica.internal.apply;

import io.cqrs.core.Change;
import io.cqrs.core.CqrsException;
import io.cqrs.core.ReplicationException;
import io.cqrs.core.SerializationException;
import io.cqrs.core.jdbc.SqlStates;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;

/** What a hook threw, or that it said no: its change is tried again as its handler decides. */
public final class HookFailure extends CqrsException {

    private static final long serialVersionUID = 1L;

    private HookFailure(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /** Returns what a handler should be told: the hook's own exception where it threw one. */
    public Exception reason() {
        return getCause() instanceof Exception cause ? cause : this;
    }

    /** A call of a hook. */
    @FunctionalInterface
    interface Call {
        /** Returns null where it failed. */
        @Nullable
        Object run() throws Exception;
    }

    /**
     * Calls a hook.
     *
     * @throws SQLException if the batch's own transaction can't go on, or its database is gone
     * @throws ReplicationException if the change can never be applied
     * @throws SerializationException if a value of it can't
     * @throws HookFailure if the hook failed otherwise
     */
    static Object calling(Object handler, String hook, Change change, LazyEntities entities, Call call)
            throws SQLException {
        String what = handler.getClass().getName() + "." + hook + " of " + change;
        try {
            Object result = call.run();
            if (result == null) {
                throw new HookFailure(what + (hook.equals("delete") ? " returned false" : " returned no row"), null);
            }
            return result;
        } catch (ReplicationException | SerializationException | HookFailure e) {
            throw e;
        } catch (Exception e) {
            if (e instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            SQLException sql = SqlStates.find(e);
            if (sql != null && concernsBatch(sql, entities)) {
                throw sql;
            }
            throw new HookFailure(what + " failed: " + e, e);
        } catch (StackOverflowError e) {
            throw new HookFailure(what + " failed: " + e, e);
        } catch (VirtualMachineError e) {
            throw e;
        } catch (Error e) {
            // One message must not end the worker.
            throw new HookFailure(what + " failed: " + e, e);
        }
    }

    /** Says whether the batch's own transaction was ended by it, or its database is gone: a hook may have asked others. */
    private static boolean concernsBatch(SQLException sql, LazyEntities entities) {
        boolean known = SqlStates.isContention(sql)
                || SqlStates.isRefusing(sql)
                || SqlStates.isMissingParent(sql)
                || SqlStates.isUnavailable(sql);
        return known && !canGoOn(entities.connection());
    }

    /** A transaction that an error has ended answers nothing but 25P02. */
    private static boolean canGoOn(Connection connection) {
        try (Statement statement = connection.createStatement()) {
            return statement.execute("select 1");
        } catch (SQLException e) {
            return false;
        }
    }
}
