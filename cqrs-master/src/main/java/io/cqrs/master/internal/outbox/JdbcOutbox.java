package io.cqrs.master.internal.outbox;

import io.cqrs.core.EntityKey;
import io.cqrs.core.OutboxException;
import io.cqrs.core.SerializationException;
import io.cqrs.core.jdbc.SqlArrays;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.transport.JsonText;
import io.cqrs.transport.Message;
import io.cqrs.transport.MessageCodec;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** Writes messages into the outbox on the caller's connection, in their order. Thread-safe. */
public final class JdbcOutbox {

    /** Most messages a statement should have, if they are small: a transaction of any size needs memory for a few such chunks. */
    public static final int CHUNK = 1000;

    private static final String COMMIT = "; commit";

    private final Captured captured;
    private final Captured committing;
    private final String always;
    private final CqrsSchema schema;
    private final int maxBytes;
    private final MessageCodec codec = new MessageCodec();

    /**
     * Writes into this schema's outbox.
     *
     * @param maxBytes the largest message
     */
    public JdbcOutbox(CqrsSchema schema, int maxBytes) {
        this.schema = schema;
        this.maxBytes = maxBytes;
        String outbox = schema.outbox().sql();
        // What a model's triggers send already is left out here, by what holds as of this very statement.
        String left = " <> all (array(select cqrs_id from " + schema.capture().sql() + "))";
        String one = """
                insert into %s (cqrs_id, routing_key, headers, instance_pk, body)
                select ?, ?, ?, ?, ? where ?%s""".formatted(outbox, left);
        // A scan of unnested arrays, filtered or not, comes in their order.
        String alike = """
                insert into %s (cqrs_id, routing_key, headers, instance_pk, body)
                select ?, ?, ?, m.instance_pk, m.body
                from unnest(?::text[], ?::text[]) as m(instance_pk, body) where ?%s""".formatted(outbox, left);
        String mixed = """
                insert into %s (cqrs_id, routing_key, headers, instance_pk, body)
                select m.cqrs_id, m.routing_key, m.headers, m.instance_pk, m.body
                from unnest(?::text[], ?::text[], ?::text[], ?::text[], ?::text[])
                    as m(cqrs_id, routing_key, headers, instance_pk, body) where m.cqrs_id%s""".formatted(outbox, left);
        this.captured = new Captured(one, alike, mixed);
        this.committing = new Captured(one + COMMIT, alike + COMMIT, mixed + COMMIT);
        this.always = """
                with written as (
                    insert into %s (cqrs_id, routing_key, headers, instance_pk, body)
                    select ?, ?, ?, m.instance_pk, m.body
                    from unnest(?::text[], ?::text[]) as m(instance_pk, body) returning id)
                select max(id) from written""".formatted(outbox);
    }

    /**
     * Makes a message for this outbox.
     *
     * @param headers what travels beside it: text, numbers and flags by name
     * @throws SerializationException if a value has no form on the wire, naming the entity
     * @throws OutboxException if it is too large
     */
    public OutboxMessage message(Message message, String routingKey, Map<String, ?> headers) {
        byte[] body = codec.encode(message);
        EntityKey key = message.change().key();
        if (body.length > maxBytes) {
            throw new OutboxException(
                    "the message of " + key + " has " + body.length + " bytes, more than the " + maxBytes
                            + " that are allowed: send fewer fields, or raise cqrs.max_message_bytes if the broker takes"
                            + " more",
                    null);
        }
        return new OutboxMessage(key, body, routingKey, headers);
    }

    /**
     * Writes captured changes; those of models that triggers capture are left to them.
     *
     * @throws OutboxException if the database refuses
     */
    public void writeCaptured(Connection connection, List<OutboxMessage> messages) {
        try (PreparedStatement statement = prepare(connection, messages)) {
            statement.executeUpdate();
        } catch (SQLException e) {
            throw failure(e);
        }
    }

    /**
     * Prepares captured changes that are to be written by the statement that commits their transaction.
     *
     * @param messages no more than a chunk
     * @throws OutboxException if they can't be bound
     */
    public LastWrite prepareLast(Connection connection, List<OutboxMessage> messages) {
        return new LastWrite(this, connection, messages, prepare(connection, messages, committing));
    }

    /**
     * Opens a pipe for the captured changes of a transaction.
     *
     * @param helper runs what waits for the database
     */
    public OutboxPipe openPipe(Connection connection, Executor helper) {
        return new OutboxPipe(this, connection, helper);
    }

    /** Returns the statement that writes captured changes, bound; those of models that triggers capture are left out. */
    PreparedStatement prepare(Connection connection, List<OutboxMessage> messages) {
        return prepare(connection, messages, captured);
    }

    private PreparedStatement prepare(Connection connection, List<OutboxMessage> messages, Captured sql) {
        OutboxMessage first = messages.get(0);
        boolean single = messages.size() == 1;
        boolean same = single || messages.stream().allMatch(first::goesWith);
        @Nullable PreparedStatement statement = null;
        try {
            statement = connection.prepareStatement(single ? sql.one : same ? sql.alike : sql.mixed);
            if (single) {
                bindCommon(statement, first);
                statement.setString(4, key(first));
                statement.setString(5, new String(first.body(), StandardCharsets.UTF_8));
                statement.setString(6, id(first));
            } else if (same) {
                bindAlike(statement, messages);
                statement.setString(6, id(first));
            } else {
                bindMixed(statement, messages);
            }
            return statement;
        } catch (SQLException e) {
            close(statement, e);
            throw failure(e);
        } catch (RuntimeException e) {
            close(statement, e);
            throw e;
        }
    }

    static void close(@Nullable PreparedStatement statement, Exception cause) {
        try {
            if (statement != null) {
                statement.close();
            }
        } catch (SQLException e) {
            cause.addSuppressed(e);
        }
    }

    /**
     * Writes messages that nobody else sends, all of one model to one destination.
     *
     * @return the number of the last one, or null where there is none
     * @throws OutboxException if the database refuses
     */
    public @Nullable Long write(Connection connection, List<OutboxMessage> messages) {
        MessageChunk chunk = new MessageChunk();
        for (OutboxMessage message : messages) {
            if (!chunk.takes(message)) {
                long unused = writeChunk(connection, chunk.take());
            }
            chunk.add(message);
        }
        return messages.isEmpty() ? null : writeChunk(connection, chunk.take());
    }

    private long writeChunk(Connection connection, List<OutboxMessage> messages) {
        try (PreparedStatement statement = connection.prepareStatement(always)) {
            bindAlike(statement, messages);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        } catch (SQLException e) {
            throw failure(e);
        }
    }

    OutboxException failure(SQLException e) {
        String hint = "42P01".equals(e.getSQLState()) ? ": run `cqrs migrate` on this database first" : "";
        return new OutboxException(
                "the outbox " + schema.outbox() + " could not be written" + hint + ": " + e.getMessage(), e);
    }

    private static void bindCommon(PreparedStatement statement, OutboxMessage common) throws SQLException {
        statement.setString(1, id(common));
        statement.setString(2, common.routingKey());
        statement.setString(3, headers(common));
    }

    private void bindAlike(PreparedStatement statement, List<OutboxMessage> messages) throws SQLException {
        bindCommon(statement, messages.get(0));
        bind(statement, 4, messages, JdbcOutbox::key);
        bindBodies(statement, messages);
    }

    private void bindMixed(PreparedStatement statement, List<OutboxMessage> messages) throws SQLException {
        bind(statement, 1, messages, JdbcOutbox::id);
        bind(statement, 2, messages, OutboxMessage::routingKey);
        bind(statement, 3, messages, JdbcOutbox::headers);
        bind(statement, 4, messages, JdbcOutbox::key);
        bindBodies(statement, messages);
    }

    private void bindBodies(PreparedStatement statement, List<OutboxMessage> messages) throws SQLException {
        List<byte[]> bodies = new ArrayList<>(messages.size());
        for (OutboxMessage message : messages) {
            bodies.add(message.body());
        }
        SqlArrays.setUtf8(statement, 5, bodies);
    }

    private static void bind(PreparedStatement statement, int parameter, List<OutboxMessage> messages, Text text)
            throws SQLException {
        List<@Nullable String> column = new ArrayList<>(messages.size());
        for (OutboxMessage message : messages) {
            column.add(text.of(message));
        }
        SqlArrays.setTexts(statement, parameter, column);
    }

    private static String id(OutboxMessage one) {
        return one.key().cqrsId().value();
    }

    private static String key(OutboxMessage one) {
        return one.key().text();
    }

    private static @Nullable String headers(OutboxMessage one) {
        return one.headers().isEmpty() ? null : JsonText.write(one.headers());
    }

    /**
     * The statements that write captured changes.
     *
     * @param one of a single message
     * @param alike of messages that differ in nothing but their entity
     * @param mixed of any
     */
    private record Captured(String one, String alike, String mixed) {}

    /** A column of a message. */
    private interface Text {
        @Nullable
        String of(OutboxMessage message);
    }
}
