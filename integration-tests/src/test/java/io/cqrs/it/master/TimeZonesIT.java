package io.cqrs.it.master;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.Sent;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.CqrsField;
import io.cqrs.master.CqrsMaster;
import io.cqrs.master.Master;
import io.cqrs.master.MasterEntity;
import io.cqrs.transport.memory.InMemoryTransport;
import jakarta.persistence.ElementCollection;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Times without a zone, which Hibernate may keep otherwise than the entity has them. */
@ExtendWith(TestEnvironment.class)
class TimeZonesIT {

    private static final List<LocalDateTime> TIMES = List.of(
            LocalDateTime.parse("2024-02-29T01:02:03.123456"),
            LocalDateTime.parse("2024-07-01T23:30:00"),
            // In the gaps and the overlaps of the zones here.
            LocalDateTime.parse("2024-03-10T02:30:00"),
            LocalDateTime.parse("2024-11-03T01:30:00"),
            LocalDateTime.parse("2024-03-31T02:30:00"),
            LocalDateTime.parse("1899-12-31T12:00:00"),
            // Before the calendar that dates are told by today.
            LocalDateTime.parse("1500-01-01T00:00:00"),
            LocalDateTime.parse("0001-01-03T00:00:00"),
            // Between both calendars.
            LocalDateTime.parse("1582-10-10T12:00:00"));

    @ParameterizedTest
    @ValueSource(strings = {"", "UTC", "Asia/Tokyo", "Europe/Berlin"})
    void sendsWhatTheRowHoldsWhateverTheZoneThatHibernateKeepsTimesIn(String zone) throws Exception {
        TestDatabase database = TestEnvironment.database("zones");
        CqrsSchema.standard().migrate(database.dataSource());
        var configuration = MasterUnit.configuration(database, Meeting.class);
        if (!zone.isEmpty()) {
            configuration.setProperty("hibernate.jdbc.time_zone", zone);
        }
        try (MasterUnit unit = MasterUnit.of(configuration);
                CqrsMaster master = CqrsMaster.builder(unit.sessions())
                        .transport(new InMemoryTransport())
                        .build()) {
            unit.commit(session -> {
                for (int i = 0; i < TIMES.size(); i++) {
                    session.persist(new Meeting(i, TIMES.get(i)));
                }
            });
            assertAsRows(database);
            assertThat(master.sync(Meeting.class).send().sent()).isEqualTo(TIMES.size());
            assertAsRows(database);
        }
    }

    @Test
    void keepsTheEraOfADate() {
        TestDatabase database = TestEnvironment.database("zones");
        CqrsSchema.standard().migrate(database.dataSource());
        try (MasterUnit unit = MasterUnit.of(MasterUnit.configuration(database, Meeting.class))) {
            unit.commit(session -> session.persist(new Meeting(1, LocalDateTime.parse("-0005-06-07T12:00:00"))));
        }
        assertThat(database.rows("select day, local from Meeting"))
                .containsExactly("0006-06-07 BC|0006-06-07 12:00:00 BC");
        JsonNode data = Sent.takeOnly(database).data();
        assertThat(data.get("day").asText()).isEqualTo("-0005-06-07");
        assertThat(data.get("local").asText()).startsWith("-0005-06-07");
    }

    private static void assertAsRows(TestDatabase database) {
        List<String> rows = database.rows("""
                select m.id, m.local, m.ofDay, m.day, m.several,
                    (select array_agg(t.times order by t.times) from Meeting_times t where t.Meeting_id = m.id),
                    extract(epoch from m.instant) from Meeting m order by m.id""");
        List<String> sent = new ArrayList<>();
        for (Sent one : Sent.take(database)) {
            JsonNode data = one.data();
            sent.addAll(database.rows(
                    "select ?::int, ?::timestamp, ?::time, ?::date, (select array_agg(s::timestamp order by o) from"
                            + " json_array_elements_text(?::json) with ordinality e(s, o)), (select array_agg(s::timestamp"
                            + " order by s::timestamp) from json_array_elements_text(?::json) e(s)),"
                            + " extract(epoch from ?::timestamptz)",
                    data.get("id").asInt(),
                    data.get("local").asText(),
                    data.get("of_day").asText(),
                    data.get("day").asText(),
                    data.get("several").toString(),
                    data.get("times").toString(),
                    data.get("instant").asText()));
        }
        assertThat(sent).containsExactlyElementsOf(rows);
    }

    @Entity(name = "Meeting")
    @Master("meeting")
    static class Meeting extends MasterEntity {
        @Id
        Long id;

        LocalDateTime local;
        LocalTime ofDay;
        LocalDate day;
        Instant instant;
        LocalDateTime[] several;

        @CqrsField
        @ElementCollection
        List<LocalDateTime> times = new ArrayList<>();

        protected Meeting() {}

        Meeting(long id, LocalDateTime time) {
            this.id = id;
            this.local = time;
            this.ofDay = time.toLocalTime();
            this.day = time.toLocalDate();
            this.instant = Instant.parse("2024-02-29T01:02:03.123456Z");
            this.several = new LocalDateTime[] {time, time.plusHours(5)};
            this.times.add(time);
        }
    }
}
