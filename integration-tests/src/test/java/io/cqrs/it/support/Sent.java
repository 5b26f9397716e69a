package io.cqrs.it.support;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;

/** What stands in the outbox of a test's database. */
public record Sent(JsonNode message) {

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
            .build();

    /** Returns all messages, in the order of the outbox. */
    public static List<Sent> all(TestDatabase database) {
        return database.rows("select body from cqrs.outbox order by id").stream()
                .map(Sent::parse)
                .toList();
    }

    /** Returns the messages, and empties the outbox. */
    public static List<Sent> take(TestDatabase database) {
        List<Sent> all = all(database);
        database.execute("delete from cqrs.outbox");
        return all;
    }

    /** Returns the one message that there is, and empties the outbox. */
    public static Sent takeOnly(TestDatabase database) {
        List<Sent> all = take(database);
        if (all.size() != 1) {
            throw new AssertionError("expected one message, not " + all);
        }
        return all.get(0);
    }

    public static Sent parse(String body) {
        try {
            return new Sent(JSON.readTree(body));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public String signal() {
        return message.get("signal_type").asText();
    }

    public String model() {
        return message.get("cqrs_id").asText();
    }

    public String key() {
        return message.get("instance_pk").toString();
    }

    public JsonNode data() {
        return message.get("instance_data");
    }

    /** Returns a field as JSON text. */
    public String field(String name) {
        return String.valueOf(data().get(name));
    }

    public String previous() {
        return message.get("previous_data").toString();
    }

    public long revision() {
        return data().get("cqrs_revision").asLong();
    }

    public String updated() {
        return data().get("cqrs_updated").asText();
    }
}
