package io.cqrs.master.internal.outbox;

import io.cqrs.core.EntityKey;
import io.cqrs.core.OutboxException;
import io.cqrs.core.SerializationException;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.transport.JsonText;
import io.cqrs.transport.MessageCodec;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Writes messages into the outbox on the caller's connection, in their order. Thread-safe. */
public final class JdbcOutbox {

    /** Most rows a statement: a transaction of any size needs memory for one such chunk. */
    public static final int CHUNK = 1000;

    private static final int MOST_BYTES_A_CHAR = 3;

    private final String insert;
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
        // What a model's triggers send already is left out here, by what holds as of this very statement.
        this.insert = """
                with written as (
                    insert into %s (cqrs_id, instance_pk, routing_key, body, headers)
                    select cqrs_id, instance_pk, routing_key, body, headers
                    from unnest(?::text[], ?::text[], ?::text[], ?::text[], ?::text[])
                        with ordinality as m(cqrs_id, instance_pk, routing_key, body, headers, ord)
                    where not ? or not exists (select from %s c where c.cqrs_id = m.cqrs_id)
                    order by ord returning id)
                select max(id) from written
                """.formatted(schema.outbox().sql(), schema.capture().sql());
    }

    /**
     * Writes captured changes; those of models that triggers capture are left to them.
     *
     * @throws SerializationException if a value has no form on the wire, naming the entity
     * @throws OutboxException if the database refuses, or a message is too large
     */
    public void writeCaptured(Connection connection, List<OutboxMessage> messages) {
        @Nullable Long unused = write(connection, messages, true);
    }

    /**
     * Writes messages that nobody else sends.
     *
     * @return the number of the last one, or null where there is none
     * @throws SerializationException if a value has no form on the wire, naming the entity
     * @throws OutboxException if the database refuses, or a message is too large
     */
    public @Nullable Long write(Connection connection, List<OutboxMessage> messages) {
        return write(connection, messages, false);
    }

    private @Nullable Long write(Connection connection, List<OutboxMessage> messages, boolean captured) {
        try (PreparedStatement statement = connection.prepareStatement(insert)) {
            @Nullable Long last = null;
            for (int from = 0; from < messages.size(); from += CHUNK) {
                last = write(statement, messages.subList(from, Math.min(from + CHUNK, messages.size())), captured);
            }
            return last;
        } catch (SQLException e) {
            String hint = "42P01".equals(e.getSQLState()) ? ": run `cqrs migrate` on this database first" : "";
            throw new OutboxException(
                    "the outbox " + schema.outbox() + " could not be written" + hint + ": " + e.getMessage(), e);
        }
    }

    private @Nullable Long write(PreparedStatement statement, List<OutboxMessage> chunk, boolean captured)
            throws SQLException {
        String[] ids = new String[chunk.size()];
        String[] keys = new String[chunk.size()];
        String[] routingKeys = new String[chunk.size()];
        String[] bodies = new String[chunk.size()];
        @Nullable String[] headers = new @Nullable String[chunk.size()];
        for (int i = 0; i < ids.length; i++) {
            OutboxMessage one = chunk.get(i);
            EntityKey key = one.message().change().key();
            ids[i] = key.cqrsId().value();
            keys[i] = key.text();
            routingKeys[i] = one.routingKey();
            bodies[i] = body(one);
            headers[i] = one.headers().isEmpty() ? null : JsonText.write(one.headers());
        }
        int parameter = 1;
        for (@Nullable String[] column : List.of(ids, keys, routingKeys, bodies, headers)) {
            statement.setArray(parameter++, statement.getConnection().createArrayOf("text", column));
        }
        statement.setBoolean(parameter, captured);
        try (ResultSet row = statement.executeQuery()) {
            row.next();
            long last = row.getLong(1);
            return row.wasNull() ? null : last;
        }
    }

    private String body(OutboxMessage one) {
        String body = codec.encode(one.message());
        if (body.length() > maxBytes / MOST_BYTES_A_CHAR) {
            int bytes = body.getBytes(StandardCharsets.UTF_8).length;
            if (bytes > maxBytes) {
                throw new OutboxException(
                        "the message of " + one.message().change().key() + " has " + bytes + " bytes, more than the "
                                + maxBytes + " that are allowed: send fewer fields, or raise cqrs.max_message_bytes if"
                                + " the broker takes more",
                        null);
            }
        }
        return body;
    }
}
