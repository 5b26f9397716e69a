package io.cqrs.benchmarks;

import io.cqrs.core.Change;
import io.cqrs.transport.Message;
import io.cqrs.transport.MessageCodec;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/** Fills an outbox without any capture. */
final class Outbox {

    private static final String INSERT = """
            insert into cqrs.outbox (cqrs_id, instance_pk, routing_key, body)
            select 'item', i, 'item', b from unnest(?::text[], ?::text[]) u(i, b)""";
    private static final int PAGE = 1000;
    private static final int PAGE_CHARS = 4 << 20;

    private Outbox() {}

    /** Empties the outbox and puts so many changes in. Holds a page of them at a time. */
    static void fill(String databaseUrl, int rows, IntFunction<Change> changes) throws SQLException {
        Databases.execute(databaseUrl, "truncate cqrs.outbox");
        MessageCodec codec = new MessageCodec();
        List<String> keys = new ArrayList<>();
        List<String> bodies = new ArrayList<>();
        int chars = 0;
        try (Connection connection = DriverManager.getConnection(databaseUrl);
                PreparedStatement insert = connection.prepareStatement(INSERT)) {
            for (int i = 0; i < rows; i++) {
                String body = codec.encode(Message.of(changes.apply(i)));
                keys.add(Integer.toString(i));
                bodies.add(body);
                chars += body.length();
                if (keys.size() == PAGE || chars >= PAGE_CHARS || i == rows - 1) {
                    insert.setArray(1, connection.createArrayOf("text", keys.toArray()));
                    insert.setArray(2, connection.createArrayOf("text", bodies.toArray()));
                    insert.executeUpdate();
                    keys.clear();
                    bodies.clear();
                    chars = 0;
                }
            }
        }
    }
}
