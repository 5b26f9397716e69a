package io.cqrs.benchmarks;

import io.cqrs.core.Change;
import io.cqrs.core.CqrsId;
import io.cqrs.core.EntityKey;
import io.cqrs.core.Signal;
import io.cqrs.core.Stamp;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.replica.Order;
import io.cqrs.replica.ReplicaDefinition;
import io.cqrs.transport.Message;
import io.cqrs.transport.MessageCodec;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/** The row of 10 columns that most measures move. */
final class Item {

    static final CqrsId ID = CqrsId.of("item");
    static final ReplicaDefinition REPLICA =
            ReplicaDefinition.ofTable(ID, TableName.parse("item"), Map.of(), Order.UPDATED);
    static final String TABLE = """
            create table item (id bigint primary key, name text, description text, price numeric, amount int,
                active boolean, made date, seen timestamptz, cqrs_revision bigint not null,
                cqrs_updated timestamptz not null)""";

    private static final Instant START = Instant.parse("2026-11-21T01:16:00.000001Z");

    private Item() {}

    /** Returns the i-th change of rows, half new, half updates, each key once in each half. */
    static Change change(int i, int rows) {
        int half = rows / 2;
        long id = (i % half) * 7919L % half;
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("id", id);
        data.put("name", "name of " + i);
        data.put("description", "a description of some length, as products have one, number " + i);
        data.put("price", BigDecimal.valueOf(i, 2));
        data.put("amount", (long) i % 100);
        data.put("active", i % 2 == 0);
        data.put("made", "2024-02-29");
        data.put("seen", "2026-11-21 01:16:00.614800+00:00");
        return save(id, i / half, data);
    }

    /** Returns a change to these columns, in order of revisions. */
    static Change save(long id, long revision, Map<String, Object> data) {
        return Change.of(Signal.SAVE, EntityKey.of(ID, id), Stamp.of(START.plusSeconds(revision), revision), data);
    }

    static byte[] body(MessageCodec codec, Change change) {
        return codec.encode(Message.of(change));
    }
}
