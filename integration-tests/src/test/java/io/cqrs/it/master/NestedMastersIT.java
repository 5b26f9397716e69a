package io.cqrs.it.master;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.Sent;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.BulkDump;
import io.cqrs.master.CqrsMaster;
import io.cqrs.master.Master;
import io.cqrs.master.MasterEntity;
import io.cqrs.master.MasterRows;
import io.cqrs.transport.memory.InMemoryTransport;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Inheritance;
import jakarta.persistence.InheritanceType;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.hibernate.annotations.DiscriminatorFormula;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Hierarchies of classes that are masters of one model, but for one that is a master of its own. */
@ExtendWith(TestEnvironment.class)
@Timeout(120)
class NestedMastersIT {

    private static TestDatabase database;
    private static MasterUnit unit;
    private static CqrsMaster master;

    @BeforeAll
    static void start() {
        database = TestEnvironment.database("nested");
        CqrsSchema.standard().migrate(database.dataSource());
        var configuration = MasterUnit.configuration(
                database,
                Plant.class,
                Tree.class,
                Herb.class,
                Moss.class,
                Stone.class,
                Granite.class,
                Marble.class,
                Gem.class,
                Fluid.class,
                Water.class,
                Milk.class,
                Oil.class,
                Crystal.class,
                Quartz.class,
                Vehicle.class,
                Car.class,
                Bicycle.class);
        unit = MasterUnit.of(configuration);
        master = CqrsMaster.builder(unit.sessions())
                .transport(new InMemoryTransport())
                .build();
    }

    @BeforeEach
    void fill() {
        database.empty();
        unit.commit(session -> {
            for (Strategy strategy : Strategy.values()) {
                long id = 1;
                for (Class<? extends Kind> type : List.of(strategy.first, strategy.nested, strategy.second)) {
                    session.persist(instance(type, id++));
                }
            }
        });
        Sent.take(database);
    }

    @AfterAll
    static void stop() {
        master.close();
        unit.close();
    }

    @ParameterizedTest
    @EnumSource
    void syncsTheRowsOfAModelUnderItsKey(Strategy strategy) throws Exception {
        assertThat(master.sync(strategy.root).send().sent()).isEqualTo(2);
        assertThat(sent()).containsExactlyInAnyOrder(strategy.model + " 1", strategy.model + " 3");
        assertThat(master.sync(strategy.nested).send().sent()).isEqualTo(1);
        assertThat(sent()).containsExactly(strategy.nestedModel + " 2");
    }

    private List<String> sent() {
        List<String> sent = database.rows("select routing_key || ' ' || instance_pk from cqrs.outbox"
                + " where routing_key = cqrs_id and cqrs_id = body::json->>'cqrs_id'");
        database.execute("delete from cqrs.outbox");
        return sent;
    }

    @Test
    void dumpsTheRowsOfAModel() throws Exception {
        assertThat(dump(Strategy.ONE_TABLE.root))
                .contains("\"id\":1")
                .contains("\"id\":3")
                .doesNotContain("\"id\":2");
        assertThat(dump(Strategy.ONE_TABLE.nested)).contains("\"id\":2").doesNotContain("\"id\":1", "\"id\":3");
        assertThatThrownBy(() -> dump(Strategy.JOINED.root))
                .hasMessageContaining("has its rows in Stone with those of " + Gem.class.getName())
                .hasMessageContaining("@DiscriminatorColumn");
    }

    @Test
    void sendsNothingOfAModelWhoseClassesAreAllMastersOfTheirOwn() throws Exception {
        unit.commit(session -> session.persist(instance(Quartz.class, 1)));
        Sent.take(database);
        assertThat(master.sync(Crystal.class).send().sent()).isZero();
        assertThat(master.sync(Quartz.class).send().sent()).isEqualTo(1);
    }

    @Test
    void refusesToDumpRowsThatNoColumnTellsFromThoseOfNoMaster() {
        assertThatThrownBy(() -> dump(Car.class))
                .hasMessageContaining("with those of " + Bicycle.class.getName())
                .hasMessageContaining("@DiscriminatorColumn");
    }

    private String dump(Class<?> type) throws Exception {
        try (MasterRows rows = MasterRows.of(unit.sessions(), type)) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            BulkDump.Result unused = BulkDump.of(rows).to(out);
            return out.toString(StandardCharsets.UTF_8);
        }
    }

    @ParameterizedTest
    @EnumSource
    void sendsWhatAKeyIsNowThatCameAgainAsAnotherClass(Strategy strategy) {
        unit.commit(session -> {
            session.remove(session.find(strategy.first, 1L));
            session.flush();
            session.persist(instance(strategy.second, 1));
        });
        List<Sent> sent = Sent.take(database);
        assertThat(sent).extracting(Sent::signal).containsExactly("DELETE", "SAVE");
        assertThat(sent.get(1).data().has("own_of_second")).isTrue();
        assertThat(sent.get(1).data().has("own_of_first")).isFalse();
        assertThat(sent.get(1).field("own_of_second")).isEqualTo("\"second\"");
    }

    private static Kind instance(Class<? extends Kind> type, long id) {
        try {
            Kind one = type.getDeclaredConstructor().newInstance();
            one.id = id;
            return one;
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    enum Strategy {
        ONE_TABLE(Plant.class, Tree.class, Herb.class, Moss.class, "plant", "moss"),
        JOINED(Stone.class, Granite.class, Marble.class, Gem.class, "stone", "gem"),
        TABLE_PER_CLASS(Fluid.class, Water.class, Milk.class, Oil.class, "fluid", "oil");

        private final Class<? extends Kind> root;
        private final Class<? extends Kind> first;
        private final Class<? extends Kind> second;
        private final Class<? extends Kind> nested;
        private final String model;
        private final String nestedModel;

        Strategy(
                Class<? extends Kind> root,
                Class<? extends Kind> first,
                Class<? extends Kind> second,
                Class<? extends Kind> nested,
                String model,
                String nestedModel) {
            this.root = root;
            this.first = first;
            this.second = second;
            this.nested = nested;
            this.model = model;
            this.nestedModel = nestedModel;
        }
    }

    @jakarta.persistence.MappedSuperclass
    abstract static class Kind extends MasterEntity {
        @Id
        Long id;
    }

    @Entity(name = "Plant")
    @Master("plant")
    abstract static class Plant extends Kind {
        @Override
        public boolean isSyncInstance() {
            return id > 0;
        }
    }

    @Entity(name = "Tree")
    static class Tree extends Plant {
        String ownOfFirst = "first";
    }

    @Entity(name = "Herb")
    static class Herb extends Plant {
        String ownOfSecond = "second";
    }

    @Entity(name = "Moss")
    @Master("moss")
    static class Moss extends Plant {}

    @Entity(name = "Stone")
    @Inheritance(strategy = InheritanceType.JOINED)
    @Master("stone")
    abstract static class Stone extends Kind {}

    @Entity(name = "Granite")
    static class Granite extends Stone {
        String ownOfFirst = "first";
    }

    @Entity(name = "Marble")
    static class Marble extends Stone {
        String ownOfSecond = "second";
    }

    @Entity(name = "Gem")
    @Master("gem")
    static class Gem extends Stone {}

    @Entity(name = "Crystal")
    @Master("crystal")
    abstract static class Crystal extends Kind {}

    @Entity(name = "Quartz")
    @Master("quartz")
    static class Quartz extends Crystal {}

    @Entity(name = "Vehicle")
    @DiscriminatorFormula("case when id > 0 then 'Car' else 'Bicycle' end")
    abstract static class Vehicle extends Kind {}

    @Entity(name = "Car")
    @Master("car")
    static class Car extends Vehicle {}

    @Entity(name = "Bicycle")
    static class Bicycle extends Vehicle {}

    @Entity(name = "Fluid")
    @Inheritance(strategy = InheritanceType.TABLE_PER_CLASS)
    @Master("fluid")
    abstract static class Fluid extends Kind {}

    @Entity(name = "Water")
    static class Water extends Fluid {
        String ownOfFirst = "first";
    }

    @Entity(name = "Milk")
    static class Milk extends Fluid {
        String ownOfSecond = "second";
    }

    @Entity(name = "Oil")
    @Master("oil")
    static class Oil extends Fluid {}
}
