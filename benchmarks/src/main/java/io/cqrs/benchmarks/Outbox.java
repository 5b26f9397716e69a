package io.cqrs.benchmarks;

import io.cqrs.core.Change;
import io.cqrs.core.jdbc.SqlArrays;
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
    private static final int PAGE_BYTES = 4 << 20;

    private Outbox() {}

    /** Empties the outbox and puts so many changes in. Holds a page of them at a time. */
    static void fill(String databaseUrl, int rows, IntFunction<Change> changes) throws SQLException {
        Databases.execute(databaseUrl, "truncate cqrs.outbox");
        MessageCodec codec = new MessageCodec();
        List<String> keys = new ArrayList<>();
        List<byte[]> bodies = new ArrayList<>();
        int bytes = 0;
        try (Connection connection = DriverManager.getConnection(databaseUrl);
                PreparedStatement insert = connection.prepareStatement(INSERT)) {
            for (int i = 0; i < rows; i++) {
                byte[] body = codec.encode(Message.of(changes.apply(i)));
                keys.add(Integer.toString(i));
                bodies.add(body);
                bytes += body.length;
                if (keys.size() == PAGE || bytes >= PAGE_BYTES || i == rows - 1) {
                    SqlArrays.setTexts(insert, 1, keys);
                    SqlArrays.setUtf8(insert, 2, bodies);
                    insert.executeUpdate();
                    keys.clear();
                    bodies.clear();
                    bytes = 0;
                }
            }
        }
    }
}
