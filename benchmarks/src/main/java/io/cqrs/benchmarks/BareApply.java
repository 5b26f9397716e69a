package io.cqrs.benchmarks;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.BiFunction;
import java.util.function.IntConsumer;

/**
 * The floor of applying: one thread, a JSON tree a message, the last state a key of each batch, one unnest upsert without
 * any guard, commit, one acknowledgement.
 */
final class BareApply {

    static final String UPSERT = """
            insert into item (id, name, description, price, amount, active, made, seen, cqrs_revision, cqrs_updated)
            select * from unnest(?::int8[], ?::text[], ?::text[], ?::numeric[], ?::int4[], ?::bool[], ?::date[],
                ?::timestamptz[], ?::int8[], ?::timestamptz[])
            on conflict (id) do update set name = excluded.name, description = excluded.description,
                price = excluded.price, amount = excluded.amount, active = excluded.active, made = excluded.made,
                seen = excluded.seen, cqrs_revision = excluded.cqrs_revision, cqrs_updated = excluded.cqrs_updated""";
    private static final List<String> COLUMNS = List.of(
            "id", "name", "description", "price", "amount", "active", "made", "seen", "cqrs_revision", "cqrs_updated");
    private static final List<String> TYPES =
            List.of("int8", "text", "text", "numeric", "int4", "bool", "date", "timestamptz", "int8", "timestamptz");

    private final String brokerUrl;
    private final String databaseUrl;
    private final String queue;
    private final JsonMapper json = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();

    BareApply(String brokerUrl, String databaseUrl, String queue) {
        this.brokerUrl = brokerUrl;
        this.databaseUrl = databaseUrl;
        this.queue = queue;
    }

    void drain(int rows) throws Exception {
        drain(rows, count -> {});
    }

    /** The same, telling how many were committed each time. */
    void drain(int rows, IntConsumer committed) throws Exception {
        try (com.rabbitmq.client.Connection broker = BenchQueue.connect(brokerUrl);
                Channel channel = broker.createChannel();
                Connection database = DriverManager.getConnection(databaseUrl);
                PreparedStatement upsert = database.prepareStatement(UPSERT)) {
            database.setAutoCommit(false);
            BlockingQueue<Received> buffer = new LinkedBlockingQueue<>();
            channel.basicQos(BenchQueue.PREFETCH);
            String unused = channel.basicConsume(queue, false, new DefaultConsumer(channel) {
                @Override
                public void handleDelivery(
                        String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] body) {
                    buffer.add(new Received(envelope.getDeliveryTag(), body));
                }
            });
            int left = rows;
            while (left > 0) {
                List<Received> batch = new ArrayList<>();
                batch.add(buffer.take());
                buffer.drainTo(batch, BenchQueue.BATCH - 1);
                apply(database, upsert, batch);
                committed.accept(batch.size());
                channel.basicAck(batch.get(batch.size() - 1).tag(), true);
                left -= batch.size();
            }
        }
    }

    private void apply(Connection database, PreparedStatement upsert, List<Received> batch) throws Exception {
        Map<String, JsonNode> last = new LinkedHashMap<>();
        for (Received one : batch) {
            JsonNode message = json.readTree(one.body());
            last.put(message.get("instance_pk").asText(), message.get("instance_data"));
        }
        upsert(
                database,
                upsert,
                List.copyOf(last.values()),
                (row, column) -> row.get(column).asText());
    }

    /** Writes rows, each key once, and commits. */
    static <R> void upsert(
            Connection database, PreparedStatement upsert, List<R> rows, BiFunction<R, String, String> text)
            throws SQLException {
        bind(database, upsert, COLUMNS.size(), rows, text);
        upsert.executeUpdate();
        database.commit();
    }

    /** Sets the first columns as arrays, a parameter each. */
    static <R> void bind(
            Connection database,
            PreparedStatement statement,
            int columns,
            List<R> rows,
            BiFunction<R, String, String> text)
            throws SQLException {
        for (int column = 0; column < columns; column++) {
            String[] values = new String[rows.size()];
            for (int row = 0; row < values.length; row++) {
                values[row] = text.apply(rows.get(row), COLUMNS.get(column));
            }
            statement.setArray(column + 1, database.createArrayOf(TYPES.get(column), values));
        }
    }

    private record Received(long tag, byte[] body) {}
}
