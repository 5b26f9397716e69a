package io.cqrs.it.support;

import io.cqrs.core.Change;
import io.cqrs.core.CqrsId;
import io.cqrs.core.EntityKey;
import io.cqrs.core.Signal;
import io.cqrs.core.Stamp;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.master.Master;
import io.cqrs.master.MasterEntity;
import io.cqrs.replica.Order;
import io.cqrs.replica.ReplicaDefinition;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.Map;

@Entity
@Master("item")
public class Item extends MasterEntity {

    public static final String REPLICA = """
            create table item_ref (id bigint primary key, name text, amount int, unit_price numeric,
                cqrs_revision bigint not null, cqrs_updated timestamptz not null)""";
    private static final String COMPARED = "id, name, amount, unit_price, cqrs_revision, cqrs_updated";

    @Id
    public Long id;

    public String name;
    public Integer amount;
    public BigDecimal unitPrice;

    protected Item() {}

    /** Returns the definition of {@link #REPLICA}. */
    public static ReplicaDefinition definition() {
        return ReplicaDefinition.ofTable(CqrsId.of("item"), TableName.parse("item_ref"), Map.of(), Order.UPDATED);
    }

    /** Returns a save of an item, a second later for each revision. */
    public static Change save(long id, long revision, String name) {
        return Change.of(
                Signal.SAVE,
                EntityKey.of(CqrsId.of("item"), id),
                Stamp.of(Instant.parse("2026-11-21T01:16:00Z").plusSeconds(revision), revision),
                Map.of("id", id, "name", name));
    }

    /** Returns a replica's rows by their keys, to compare with {@link #masterRows}. */
    public static List<String> replicaRows(TestDatabase database) {
        return replicaRows(database, Long.MIN_VALUE, Long.MAX_VALUE);
    }

    public static List<String> replicaRows(TestDatabase database, long from, long to) {
        return database.rows("select " + COMPARED + " from item_ref where id between ? and ? order by id", from, to);
    }

    /** Returns a master's rows by their keys, as a replica should have them. */
    public static List<String> masterRows(TestDatabase database) {
        return masterRows(database, Long.MIN_VALUE, Long.MAX_VALUE);
    }

    public static List<String> masterRows(TestDatabase database, long from, long to) {
        // Hibernate names the column without an underscore: the wire has one all the same.
        return database.rows(
                "select " + COMPARED.replace("unit_price", "unitPrice")
                        + " from item where id between ? and ? order by id",
                from,
                to);
    }

    public Item(long id, String name) {
        this.id = id;
        this.name = name;
    }

    public Item with(int newAmount, String newPrice) {
        this.amount = newAmount;
        this.unitPrice = new BigDecimal(newPrice);
        return this;
    }
}
