package io.cqrs.tools.doctor;

import io.cqrs.core.jdbc.DatabaseClock;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.master.OutboxStatus;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.TimeZone;
import javax.sql.DataSource;

/** Looks at a database: version, rights, settings, clock and the framework's tables. */
public final class DatabaseDoctor {

    private static final int OLDEST = 130_000;
    private static final Duration SKEW = Duration.ofSeconds(1);

    private final DataSource dataSource;
    private final CqrsSchema schema = CqrsSchema.standard();

    /** Looks at this database. */
    public DatabaseDoctor(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    /** Returns what it found; a database that can't be reached is a finding, too. */
    public List<Finding> examine() {
        List<Finding> findings = new ArrayList<>();
        try (Connection connection = dataSource.getConnection()) {
            findings.add(version(connection));
            findings.add(clock(connection));
            findings.add(zone(connection));
            findings.add(durability(connection));
            List<Finding> tables = tables(connection);
            findings.addAll(tables);
            if (tables.stream().noneMatch(table -> table.level() == Finding.Level.FAIL)) {
                OutboxStatus.read(dataSource, schema).ifPresent(outbox -> findings.addAll(bindings(outbox)));
            }
        } catch (SQLException e) {
            findings.add(Finding.fail(
                    "database: " + e.getMessage(),
                    "start it, or correct database.url, CQRS_DATABASE_USER and CQRS_DATABASE_PASSWORD"));
        }
        return findings;
    }

    private static Finding version(Connection connection) throws SQLException {
        int number = Integer.parseInt(text(connection, "select current_setting('server_version_num')"));
        String version = "database: PostgreSQL " + text(connection, "select current_setting('server_version')");
        return number < OLDEST ? Finding.fail(version, "upgrade it to 13 or later") : Finding.ok(version);
    }

    /** A difference does no harm to stamps, which are the database's; expiry and logs go by this machine's clock. */
    private static Finding clock(Connection connection) throws SQLException {
        Instant before = Instant.now();
        Duration skew = Duration.between(before, DatabaseClock.now(connection));
        String text = "clock: the database's is " + skew.toMillis() + " ms from this machine's";
        return skew.abs().compareTo(SKEW) > 0
                ? Finding.warn(text, "synchronize the clocks of both: expiry goes by this machine's")
                : Finding.ok(text);
    }

    private static Finding zone(Connection connection) throws SQLException {
        return Finding.ok("time zones: the session's is " + text(connection, "select current_setting('timezone')")
                + ", the JVM's " + TimeZone.getDefault().getID() + "; times are sent in UTC whatever they are");
    }

    private static Finding durability(Connection connection) throws SQLException {
        String fsync = text(connection, "select current_setting('fsync')");
        String commit = text(connection, "select current_setting('synchronous_commit')");
        String text = "durability: fsync " + fsync + ", synchronous_commit " + commit;
        boolean lossy = fsync.equals("off") || commit.equals("off");
        return lossy
                ? Finding.warn(text, "turn both on where commits must survive a crash of the server")
                : Finding.ok(text);
    }

    private List<Finding> tables(Connection connection) throws SQLException {
        List<Finding> findings = new ArrayList<>();
        for (TableName table : List.of(
                schema.outbox(), schema.capture(), schema.tombstone(), schema.tombstoneHorizon(), schema.lastDiff())) {
            findings.add(table(connection, table));
        }
        return findings;
    }

    /** AMQP has no question for bindings, but what none takes stays in the outbox. */
    private static List<Finding> bindings(OutboxStatus outbox) {
        if (!outbox.relayed()) {
            return List.of(Finding.warn(
                    "relay: none is at work", "run `cqrs relay`, or the service, if this is a master's database"));
        }
        List<Finding> findings = new ArrayList<>();
        outbox.late()
                .forEach((key, count) -> findings.add(Finding.warn(
                        "bindings: " + count + " change(s) for routing key " + key
                                + " have waited for longer than a minute: the relay has a backlog, or no queue takes them",
                        "look again: if they stay, run `cqrs consume --bind-only` for the queue that should take them,"
                                + " or empty it where it is full")));
        return findings;
    }

    /** What a user needs depends on what it does. */
    private static Finding table(Connection connection, TableName table) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("""
                select to_regclass(?) is not null,
                    (select string_agg(p, ', ') from unnest(array['select', 'insert', 'update', 'delete']) p
                    where has_table_privilege(to_regclass(?), p))""")) {
            statement.setString(1, table.sql());
            statement.setString(2, table.sql());
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                if (!row.getBoolean(1)) {
                    return Finding.fail("table " + table + " does not exist, or can't be seen", "run `cqrs migrate`");
                }
                String rights = row.getString(2);
                return Finding.ok("table " + table + ": this user may "
                        + (rights == null ? "do nothing with it" : rights) + " (docs/operations.md says who has to)");
            }
        } catch (SQLException e) {
            if ("42501".equals(e.getSQLState())) {
                return Finding.fail(
                        "table " + table + ": " + e.getMessage(),
                        "grant usage on schema " + TableName.quote(String.valueOf(table.schema())) + " to this user");
            }
            throw e;
        }
    }

    private static String text(Connection connection, String sql) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql);
                ResultSet row = statement.executeQuery()) {
            row.next();
            return String.valueOf(row.getString(1));
        }
    }
}
