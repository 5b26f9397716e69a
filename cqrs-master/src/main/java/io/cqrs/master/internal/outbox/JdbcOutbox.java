package io.cqrs.master.internal.outbox;

import io.cqrs.core.EntityKey;
import io.cqrs.core.OutboxException;
import io.cqrs.core.SerializationException;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.transport.MessageCodec;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;

/** Writes messages into the outbox on the caller's connection, in their order. Thread-safe. */
public final class JdbcOutbox {

    /** Most rows a statement: a transaction of any size needs memory for one such chunk. */
    private static final int CHUNK = 1000;

    private final String insert;
    private final CqrsSchema schema;
    private final MessageCodec codec = new MessageCodec();

    /** Writes into this schema's outbox. */
    public JdbcOutbox(CqrsSchema schema) {
        this.schema = schema;
        this.insert = """
                insert into %s (cqrs_id, instance_pk, routing_key, body)
                select cqrs_id, instance_pk, routing_key, body
                from unnest(?::text[], ?::text[], ?::text[], ?::text[])
                    with ordinality as m(cqrs_id, instance_pk, routing_key, body, ord)
                order by ord
                """.formatted(schema.outbox().sql());
    }

    /**
     * Writes the messages.
     *
     * @throws SerializationException if a value has no form on the wire, naming the entity
     * @throws OutboxException if the database refuses
     */
    public void write(Connection connection, List<OutboxMessage> messages) {
        try (PreparedStatement statement = connection.prepareStatement(insert)) {
            for (int from = 0; from < messages.size(); from += CHUNK) {
                write(statement, messages.subList(from, Math.min(from + CHUNK, messages.size())));
            }
        } catch (SQLException e) {
            String hint = "42P01".equals(e.getSQLState()) ? ": run `cqrs migrate` on this database first" : "";
            throw new OutboxException(
                    "the outbox " + schema.outbox() + " could not be written" + hint + ": " + e.getMessage(), e);
        }
    }

    private void write(PreparedStatement statement, List<OutboxMessage> chunk) throws SQLException {
        String[] ids = new String[chunk.size()];
        String[] keys = new String[chunk.size()];
        String[] routingKeys = new String[chunk.size()];
        String[] bodies = new String[chunk.size()];
        for (int i = 0; i < ids.length; i++) {
            EntityKey key = chunk.get(i).message().change().key();
            ids[i] = key.cqrsId().value();
            keys[i] = key.text();
            routingKeys[i] = chunk.get(i).routingKey();
            bodies[i] = codec.encode(chunk.get(i).message());
        }
        int parameter = 1;
        for (String[] column : List.of(ids, keys, routingKeys, bodies)) {
            statement.setArray(parameter++, statement.getConnection().createArrayOf("text", column));
        }
        statement.executeUpdate();
    }
}
