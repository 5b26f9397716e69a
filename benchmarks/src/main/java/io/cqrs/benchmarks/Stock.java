package io.cqrs.benchmarks;

import io.cqrs.master.Master;
import io.cqrs.master.MasterEntity;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Version;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDate;
import org.jspecify.annotations.Nullable;

/** Rows of 10 columns, as a master and without any capture. */
final class Stock {

    private Stock() {}

    /** The master. */
    @Entity(name = "CapturedStock")
    @Master("stock")
    static class Captured extends MasterEntity {
        @Id
        long id;

        @Nullable
        String name;

        @Nullable
        String description;

        @Nullable
        BigDecimal price;

        int amount;
        boolean active;

        @Nullable
        LocalDate made;

        @Nullable
        Instant seen;

        Captured() {}

        Captured(long id) {
            this.id = id;
            this.name = "name of " + id;
            this.description = "a description of some length, as products have one, number " + id;
            this.price = BigDecimal.valueOf(id, 2);
            this.amount = (int) (id % 100);
            this.active = id % 2 == 0;
            this.made = LocalDate.of(2024, 2, 29);
            this.seen = Instant.parse("2026-11-21T01:16:00.614800Z");
        }
    }

    /** The same columns without capture. */
    @Entity(name = "PlainStock")
    static class Plain {
        @Id
        long id;

        @Nullable
        String name;

        @Nullable
        String description;

        @Nullable
        BigDecimal price;

        int amount;
        boolean active;

        @Nullable
        LocalDate made;

        @Nullable
        Instant seen;

        @Version
        long revision;

        @Nullable
        Instant updated;

        Plain() {}

        Plain(long id) {
            Captured same = new Captured(id);
            this.id = id;
            this.name = same.name;
            this.description = same.description;
            this.price = same.price;
            this.amount = same.amount;
            this.active = same.active;
            this.made = same.made;
            this.seen = same.seen;
            this.updated = same.seen;
        }
    }
}
