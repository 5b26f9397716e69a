package io.cqrs.it.master;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.MapCache;
import io.cqrs.it.support.MasterUnit;
import io.cqrs.it.support.Sent;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.master.CqrsMaster;
import io.cqrs.master.Master;
import io.cqrs.master.MasterEntity;
import io.cqrs.master.MasterSerializer;
import io.cqrs.master.MasterTable;
import io.cqrs.master.TriggerCapture;
import io.cqrs.transport.memory.InMemoryTransport;
import jakarta.persistence.Cacheable;
import jakarta.persistence.CascadeType;
import jakarta.persistence.Column;
import jakarta.persistence.ElementCollection;
import jakarta.persistence.Embeddable;
import jakarta.persistence.EmbeddedId;
import jakarta.persistence.Entity;
import jakarta.persistence.FetchType;
import jakarta.persistence.Id;
import jakarta.persistence.JoinColumn;
import jakarta.persistence.ManyToMany;
import jakarta.persistence.ManyToOne;
import jakarta.persistence.NamedAttributeNode;
import jakarta.persistence.NamedEntityGraph;
import jakarta.persistence.OneToMany;
import java.io.Serializable;
import java.math.BigDecimal;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.hibernate.Hibernate;
import org.hibernate.Session;
import org.hibernate.annotations.Cache;
import org.hibernate.annotations.CacheConcurrencyStrategy;
import org.hibernate.annotations.Filter;
import org.hibernate.annotations.FilterDef;
import org.hibernate.annotations.OptimisticLock;
import org.hibernate.stat.Statistics;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Data made by a serializer, and masters that are sent when what they nest has changed. */
@ExtendWith(TestEnvironment.class)
class SerializerIT {

    private static TestDatabase database;
    private static MasterUnit master;

    @BeforeAll
    static void start() {
        database = TestEnvironment.database("serializer");
        CqrsSchema.standard().migrate(database.dataSource());
        var configuration = MasterUnit.configuration(
                database,
                Country.class,
                Customer.class,
                Order.class,
                Line.class,
                Note.class,
                Plan.class,
                Node.class,
                Contact.class,
                Grade.class);
        configuration.setProperty("hibernate.generate_statistics", "true");
        configuration.setProperty("hibernate.jdbc.batch_size", "500");
        configuration.setProperty("hibernate.order_inserts", "true");
        master = MasterUnit.of(configuration);
    }

    @BeforeEach
    void fill() {
        database.empty();
        master.commit(session -> {
            Country country = new Country();
            session.persist(country);
            for (long id = 1; id <= 2; id++) {
                Customer customer = new Customer();
                customer.id = id;
                customer.name = "c" + id;
                customer.country = country;
                session.persist(customer);
            }
        });
    }

    @AfterAll
    static void stop() {
        master.close();
    }

    @Test
    void findsTheRowWhoseIdHasMoreDigitsThanItWasWrittenWith() {
        Sent.take(database);
        Grade grade = new Grade();
        grade.level = new BigDecimal("1.5");
        grade.name = "first";
        master.commit(session -> session.persist(grade));
        master.commit(session -> session.find(Grade.class, new BigDecimal("1.500")).name = "second");
        List<Sent> sent = Sent.take(database);
        assertThat(sent).extracting(one -> one.field("name")).containsExactly("\"first\"", "\"second\"");
        assertThat(database.rows("select level from grade")).containsExactly("1.50");
        assertThat(sent).extracting(one -> one.field("level")).containsOnly("1.50");
    }

    @Test
    void nestsRelatedRowsAsOfTheCommit() {
        master.commit(session -> session.persist(order(session.getReference(Customer.class, 1L), 1, 1)));
        Sent created = Sent.takeOnly(database);
        assertThat(created.data().toString())
                .startsWith(
                        "{\"id\":1,\"customer\":\"c1\",\"country\":\"AT\",\"lines\":[{\"product\":\"p0\",\"unit_price\":1.5}],");
        assertThat(created.revision()).isZero();
        master.commit(session -> session.find(Order.class, 1L).customer = session.getReference(Customer.class, 2L));
        assertThat(Sent.takeOnly(database).field("customer")).isEqualTo("\"c2\"");
    }

    @Test
    void leavesNothingOfAFailedCommitInTheSecondLevelCache() {
        var configuration = MasterUnit.configuration(database, Cached.class);
        configuration.setProperty("hibernate.cache.use_second_level_cache", "true");
        configuration.setProperty("hibernate.cache.region.factory_class", MapCache.class.getName());
        try (MasterUnit unit = MasterUnit.of(configuration)) {
            assertThatThrownBy(() -> unit.commit(session -> {
                        session.persist(new Cached(1));
                        session.persist(new Cached(2));
                    }))
                    .hasStackTraceContaining("not this one");
            unit.commit(session ->
                    assertThat(session.find(Cached.class, 1L)).as("rolled back").isNull());
        }
    }

    @Test
    void loadsManyInstancesInOneQuery() {
        Statistics statistics = master.sessions().getStatistics();
        long[] queries = new long[2];
        for (int round = 0; round < 2; round++) {
            int count = round == 0 ? 1 : 50;
            int base = round * 1000;
            statistics.clear();
            master.commit(session -> {
                Customer customer = session.getReference(Customer.class, 1L);
                for (int i = 0; i < count; i++) {
                    session.persist(order(customer, base + i, 3));
                }
            });
            queries[round] = statistics.getPrepareStatementCount();
            // One finds the owners of the lines, three what those turn to, one loads them for the serializer.
            assertThat(statistics.getQueryExecutionCount()).isEqualTo(5);
        }
        assertThat(Sent.take(database)).hasSize(51);
        assertThat(queries[1]).isEqualTo(queries[0]);
    }

    @Test
    void syncsAPageOfInstancesInOneQuery() throws Exception {
        master.commit(session -> {
            Customer customer = session.getReference(Customer.class, 1L);
            for (int i = 0; i < 50; i++) {
                session.persist(order(customer, i, 3));
            }
        });
        Sent.take(database);
        Statistics statistics = master.sessions().getStatistics();
        long[] queries = new long[2];
        try (InMemoryTransport transport = new InMemoryTransport();
                CqrsMaster sync = CqrsMaster.builder(master.sessions())
                        .transport(transport)
                        .build()) {
            for (int round = 0; round < 2; round++) {
                List<Object> keys = new ArrayList<>(
                        LongStream.range(0, round == 0 ? 1 : 50).boxed().toList());
                statistics.clear();
                assertThat(sync.sync(Order.class).keys(keys).send().sent()).isEqualTo(keys.size());
                queries[round] = statistics.getPrepareStatementCount();
            }
        }
        assertThat(Sent.all(database))
                .hasSize(51)
                .allSatisfy(
                        sent -> assertThat(sent.data().get("customer").asText()).isEqualTo("c1"));
        assertThat(queries[1]).isEqualTo(queries[0]);
    }

    @Test
    void serializesAndSendsOwnersOfACompositeKey() {
        master.commit(session -> {
            session.persist(new Plan(1, 1, session.getReference(Customer.class, 1L)));
            session.persist(new Plan(1, 2, session.getReference(Customer.class, 1L)));
            session.persist(new Plan(2, 1, session.getReference(Customer.class, 2L)));
        });
        assertThat(Sent.take(database)).extracting(Sent::key).containsExactly("[1,1]", "[1,2]", "[2,1]");
        master.commit(session -> session.find(Customer.class, 1L).name = "renamed");
        List<Sent> owners = Sent.take(database);
        assertThat(owners).extracting(Sent::key).containsExactlyInAnyOrder("[1,1]", "[1,2]");
        assertThat(owners).extracting(sent -> sent.field("name")).containsOnly("\"renamed\"");
        assertThat(owners).extracting(Sent::revision).containsOnly(1L);
    }

    @Test
    void sendsAStatelessSessionsEntityAsItsRowIs() {
        assumeFalse(MasterUnit.onHibernate6(), "Hibernate 6 tells too little of a stateless session");
        master.sessions().inStatelessTransaction(session -> {
            Order order = order(session.get(Customer.class, 2L), 7, 0);
            session.insert(order);
        });
        assertThat(Sent.takeOnly(database).field("customer")).isEqualTo("\"c2\"");
    }

    @Test
    void refusesWritesThatTellNotWhichMastersDependOnThem() {
        master.commit(session -> session.persist(order(session.getReference(Customer.class, 1L), 1, 1)));
        Sent.take(database);
        Line line = master.sessions().fromTransaction(session -> session.find(Line.class, 100L));
        line.order = null;
        assertThatThrownBy(() -> master.sessions().inStatelessTransaction(session -> session.update(line)))
                .hasStackTraceContaining("Session");
        assertThat(database.rows("select order_id from line")).containsExactly("1");
        assertThat(Sent.take(database)).isEmpty();
    }

    @Test
    void abortsTheCommitWhenTheSerializerFails() {
        Order order = order(null, 8, 0);
        assertThatThrownBy(() -> master.commit(session -> session.persist(order)))
                .hasStackTraceContaining("no customer");
        assertThat(database.count("orders where id = 8")).isZero();
    }

    @Test
    void sendsOwnersWhenARelatedRowChanges() {
        master.commit(session -> {
            session.persist(order(session.getReference(Customer.class, 1L), 1, 0));
            session.persist(order(session.getReference(Customer.class, 1L), 2, 0));
            session.persist(order(session.getReference(Customer.class, 2L), 3, 0));
        });
        List<Sent> before = Sent.take(database);
        master.commit(session -> session.find(Customer.class, 1L).name = "renamed");
        List<Sent> sent = Sent.take(database);
        assertThat(sent).extracting(Sent::key).containsExactlyInAnyOrder("1", "2");
        assertThat(sent).extracting(one -> one.field("customer")).containsOnly("\"renamed\"");
        assertThat(sent).extracting(Sent::revision).containsOnly(1L);
        assertThat(sent)
                .extracting(Sent::updated)
                .allSatisfy(time -> assertThat(time).isGreaterThan(before.get(2).updated()));
        assertThat(database.rows("select cqrs_revision from orders order by id"))
                .containsExactly("1", "1", "0");
    }

    @Test
    void letsOthersInsertRowsOfAnOwnerUntilTheirCommits() {
        master.commit(session -> session.persist(order(session.getReference(Customer.class, 1L), 1, 0)));
        Sent.take(database);
        try (Session first = master.sessions().openSession();
                Session second = master.sessions().openSession()) {
            for (Session session : List.of(first, second)) {
                session.beginTransaction();
                session.doWork(connection -> {
                    try (Statement statement = connection.createStatement()) {
                        statement.execute("set local lock_timeout = '5s'");
                    }
                });
                Line line = new Line();
                line.id = session == first ? 200L : 201L;
                line.order = session.getReference(Order.class, 1L);
                session.persist(line);
                session.flush();
            }
            first.getTransaction().commit();
            second.getTransaction().commit();
        }
        assertThat(Sent.take(database)).extracting(Sent::revision).containsExactly(1L, 2L);
    }

    @Test
    void sendsOwnersThatAFilterHidesFromTheSession() {
        master.commit(session -> session.persist(order(session.getReference(Customer.class, 1L), 1, 0)));
        Sent.take(database);
        master.commit(session -> {
            boolean unused = session.enableFilter("nothing").isAutoEnabled();
            session.find(Customer.class, 1L).name = "renamed";
        });
        Sent owner = Sent.takeOnly(database);
        assertThat(owner.field("customer")).isEqualTo("\"renamed\"");
        assertThat(owner.revision()).isEqualTo(1);
    }

    @Test
    void sendsOwnersAcrossTwoSteps() {
        master.commit(session -> session.persist(order(session.getReference(Customer.class, 1L), 1, 0)));
        Sent.take(database);
        master.commit(session -> session.find(Country.class, "AT").name = "Austria");
        assertThat(Sent.takeOnly(database).key()).isEqualTo("1");
    }

    @Test
    void sendsOwnersWhereACollectionOfARelatedRowChanges() {
        master.commit(session -> session.persist(order(session.getReference(Customer.class, 1L), 1, 0)));
        Sent.take(database);
        master.commit(session -> session.find(Customer.class, 1L).phones.add("1"));
        assertThat(Sent.takeOnly(database).key()).isEqualTo("1");
        master.commit(session -> session.find(Customer.class, 1L).phones.add("2"));
        assertThat(Sent.takeOnly(database).key()).isEqualTo("1");
        master.commit(session -> session.find(Customer.class, 1L).phones.clear());
        assertThat(Sent.takeOnly(database).key()).isEqualTo("1");
        master.commit(session -> session.find(Customer.class, 1L).phones.remove("2"));
        assertThat(Sent.take(database)).isEmpty();
    }

    @Test
    void needsNoFormOnTheWireForWhatASerializerLeavesOut() {
        try (MasterUnit unit = MasterUnit.on(database, Formless.class)) {
            unit.commit(session -> session.persist(new Formless()));
            assertThat(Sent.takeOnly(database).key()).isEqualTo("1");
            List<MasterTable> tables = TriggerCapture.keyTablesOf(unit.sessions(), id -> true);
            assertThat(tables)
                    .extracting(one -> one.cqrsId() + " " + one.table().sql())
                    .containsExactly("formless \"formless\"");
            database.execute("alter table formless drop column cqrs_revision");
            assertThat(TriggerCapture.of(database.dataSource()).addColumns(tables.get(0)))
                    .isTrue();
        }
    }

    @Test
    void refusesAManyToManyThatTheOtherSideOwns() {
        assertThatThrownBy(() ->
                        MasterUnit.on(database, Article.class, Label.class).close())
                .hasStackTraceContaining(
                        "Article: dependsOn \"labels\" goes through labels, a many-to-many that the other")
                .hasStackTraceContaining("have this side own it");
    }

    @Test
    void sendsTheOldAndTheNewOwnerOfARowThatMovesOrGoes() {
        master.commit(session -> {
            session.persist(order(session.getReference(Customer.class, 1L), 1, 1));
            session.persist(order(session.getReference(Customer.class, 1L), 2, 0));
        });
        Sent.take(database);
        master.commit(session -> {
            Line line = session.find(Line.class, 100L);
            line.order = session.getReference(Order.class, 2L);
        });
        List<Sent> moved = Sent.take(database);
        assertThat(moved).extracting(Sent::key).containsExactlyInAnyOrder("1", "2");
        assertThat(moved)
                .filteredOn(one -> one.key().equals("2"))
                .extracting(one -> one.data().get("lines").size())
                .containsExactly(1);
        master.commit(session -> session.remove(session.find(Line.class, 100L)));
        Sent gone = Sent.takeOnly(database);
        assertThat(gone.key()).isEqualTo("2");
        assertThat(gone.field("lines")).isEqualTo("[]");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"new", "moved", "moved further on", "new, whose collection changes", "new, who gets a contact"})
    void sendsWhatAnOwnerTurnsToAsItIsAfterWhoeverIsChangingIt(String how) throws Exception {
        master.commit(session -> {
            Country other = new Country();
            other.code = "DE";
            session.persist(other);
            session.persist(order(session.getReference(Customer.class, 1L), 1, 0));
        });
        CountDownLatch told = new CountDownLatch(1);
        CountDownLatch turned = new CountDownLatch(1);
        Thread changing = new Thread(() -> master.commit(session -> {
            if (how.contains("collection")) {
                session.find(Customer.class, 2L).phones.add("new name");
            } else if (how.contains("contact")) {
                Contact contact = new Contact();
                contact.name = "new name";
                contact.customer = session.getReference(Customer.class, 2L);
                session.persist(contact);
            } else {
                session.find(Customer.class, 2L).name = "new name";
                session.find(Country.class, "DE").name = "new name";
            }
            session.flush();
            MasterUnit.beforeCommit(session, () -> {
                told.countDown();
                await().until(() -> turned.getCount() == 0);
            });
        }));
        changing.start();
        assertThat(told.await(30, TimeUnit.SECONDS)).isTrue();
        Thread turning = new Thread(() -> master.commit(session -> {
            switch (how) {
                case "moved" -> session.find(Order.class, 1L).customer = session.getReference(Customer.class, 2L);
                case "moved further on" ->
                    session.find(Customer.class, 1L).country = session.getReference(Country.class, "DE");
                default -> session.persist(order(session.getReference(Customer.class, 2L), 7, 0));
            }
        }));
        turning.start();
        await().until(() -> database.waiting() > 0 || !turning.isAlive());
        turned.countDown();
        turning.join();
        changing.join();
        List<Sent> sent = Sent.take(database);
        assertThat(sent.get(sent.size() - 1).data().toString()).contains("new name");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void letsChildrenOfOneParentBeCreatedAtOnceWhereBothDependOnEachOther(boolean bulk) throws Exception {
        master.commit(session -> session.persist(new Node(0, null)));
        Node parent = master.sessions().fromTransaction(session -> session.find(Node.class, 0L));
        ExecutorService writers = Executors.newFixedThreadPool(2);
        try (InMemoryTransport transport = new InMemoryTransport();
                CqrsMaster cqrs = CqrsMaster.builder(master.sessions())
                        .transport(transport)
                        .build()) {
            List<Future<?>> running = new ArrayList<>();
            for (long writer = 1; writer <= 2; writer++) {
                long first = 1000 * writer;
                running.add(writers.submit(() -> {
                    for (long id = first; id < first + 100; id++) {
                        Node child = new Node(id, parent);
                        master.commit(session -> {
                            if (bulk) {
                                long unused = cqrs.bulkInsert(session, List.of(child));
                            } else {
                                session.persist(child);
                            }
                        });
                    }
                }));
            }
            for (Future<?> one : running) {
                Object unused = one.get();
            }
        } finally {
            writers.shutdownNow();
        }
        assertThat(Sent.take(database))
                .filteredOn(one -> one.key().equals("0"))
                .extracting(Sent::revision)
                .hasSize(201)
                .isSorted();
    }

    @Test
    void sendsAnOwnerOnceThatChangedItself() {
        master.commit(session -> session.persist(order(session.getReference(Customer.class, 1L), 1, 0)));
        Sent.take(database);
        master.commit(session -> {
            session.find(Customer.class, 1L).name = "x";
            session.find(Order.class, 1L).remark = "y";
        });
        Sent only = Sent.takeOnly(database);
        assertThat(only.revision()).isEqualTo(1);
        assertThat(only.field("customer")).isEqualTo("\"x\"");
    }

    @Test
    void leavesTheSessionsOwnInstanceOfAnOwnerCurrent() {
        master.commit(session -> session.persist(order(session.getReference(Customer.class, 1L), 1, 0)));
        try (var session = master.sessions().openSession()) {
            session.beginTransaction();
            Order order = session.find(Order.class, 1L);
            Hibernate.unproxy(order.customer, Customer.class).name = "x";
            session.getTransaction().commit();
            session.beginTransaction();
            order.remark = "goes on";
            session.getTransaction().commit();
        }
        assertThat(Sent.take(database)).extracting(Sent::revision).containsExactly(0L, 1L, 2L);
    }

    @Test
    void refusesWrongDeclarations() {
        for (Map.Entry<Class<?>, String> wrong : new HashMap<Class<?>, String>(Map.of(
                        Both.class, "sets both fields and a serializer",
                        NoGraph.class, "has no @NamedEntityGraph called nowhere",
                        GraphOnly.class, "sets an entityGraph without a serializer",
                        NoConstructor.class, "can't be made",
                        NoPath.class, "dependsOn \"customer.nation\" names nation",
                        OneWay.class, "dependsOn \"countries\" goes through countries, whose rows don't refer back",
                        Uncounted.class,
                                "dependsOn \"customers\" goes through customers, which can change without a new",
                        NoEntity.class, "dependsOn \"name\" names name"))
                .entrySet()) {
            assertThatThrownBy(
                            () -> MasterUnit.on(database, Customer.class, Country.class, Contact.class, wrong.getKey())
                                    .close())
                    .hasStackTraceContaining(wrong.getKey().getName())
                    .hasStackTraceContaining(wrong.getValue());
        }
    }

    private static Order order(Customer customer, long id, int lines) {
        Order order = new Order();
        order.id = id;
        order.customer = customer;
        for (int i = 0; i < lines; i++) {
            Line line = new Line();
            line.id = id * 100 + i;
            line.order = order;
            line.product = "p" + i;
            order.lines.add(line);
        }
        return order;
    }

    record OrderData(
            long id,
            String customer,
            String country,
            List<LineData> lines,
            String nation,
            Set<String> phones,
            List<String> contacts) {}

    record LineData(String product, BigDecimal unitPrice) {}

    static class OrderSerializer implements MasterSerializer<Order> {
        @Override
        public Object serialize(Order order) {
            if (order.customer == null) {
                throw new IllegalStateException("no customer");
            }
            Country country = Hibernate.unproxy(order.customer.country, Country.class);
            return new OrderData(
                    order.id,
                    order.customer.name,
                    country.code,
                    order.lines.stream()
                            .map(line -> new LineData(line.product, new BigDecimal("1.5")))
                            .toList(),
                    country.name,
                    Set.copyOf(order.customer.phones),
                    order.customer.contacts.stream().map(one -> one.name).toList());
        }
    }

    @Entity(name = "Country")
    static class Country {
        @Id
        String code = "AT";

        String name = "?";
    }

    @Entity(name = "Customer")
    static class Customer {
        @Id
        Long id;

        String name;

        @ManyToOne(fetch = FetchType.LAZY)
        Country country;

        @ElementCollection
        Set<String> phones = new LinkedHashSet<>();

        @OneToMany(mappedBy = "customer")
        Set<Contact> contacts = new LinkedHashSet<>();
    }

    @Entity(name = "Contact")
    static class Contact {
        @Id
        Long id = 1L;

        String name;

        @ManyToOne(fetch = FetchType.LAZY)
        Customer customer;
    }

    @Entity(name = "Formless")
    @Master(value = "formless", serializer = NoteSerializer.class)
    static class Formless extends MasterEntity {
        @Id
        Long id = 1L;

        BitSet bits = new BitSet();
    }

    @Entity(name = "Article")
    @Master(value = "article", dependsOn = "labels")
    static class Article extends MasterEntity {
        @Id
        Long id;

        @ManyToMany(mappedBy = "articles")
        Set<Label> labels = new LinkedHashSet<>();
    }

    @Entity(name = "Label")
    static class Label {
        @Id
        Long id;

        @ManyToMany
        Set<Article> articles = new LinkedHashSet<>();
    }

    @Entity(name = "Orders")
    @FilterDef(name = "nothing")
    @Filter(name = "nothing", condition = "1 = 0")
    @Master(
            value = "order",
            serializer = OrderSerializer.class,
            entityGraph = "full",
            dependsOn = {"customer.country", "customer.contacts", "lines"})
    @NamedEntityGraph(
            name = "full",
            attributeNodes = {@NamedAttributeNode("customer"), @NamedAttributeNode("lines")})
    static class Order extends MasterEntity {
        @Id
        Long id;

        String remark;

        @ManyToOne(fetch = FetchType.LAZY)
        Customer customer;

        @OneToMany(mappedBy = "order", cascade = CascadeType.ALL)
        Set<Line> lines = new LinkedHashSet<>();
    }

    @Embeddable
    record PlanId(int year, int month) implements Serializable {}

    @Entity(name = "Plan")
    @Master(value = "plan", serializer = PlanSerializer.class, dependsOn = "customer")
    static class Plan extends MasterEntity {
        @EmbeddedId
        PlanId id;

        @ManyToOne(fetch = FetchType.LAZY)
        Customer customer;

        protected Plan() {}

        Plan(int year, int month, Customer customer) {
            this.id = new PlanId(year, month);
            this.customer = customer;
        }
    }

    static class PlanSerializer implements MasterSerializer<Plan> {
        @Override
        public Object serialize(Plan plan) {
            return Map.of(
                    "id",
                    List.of(plan.id.year(), plan.id.month()),
                    "name",
                    Hibernate.unproxy(plan.customer, Customer.class).name);
        }
    }

    @Entity(name = "Line")
    static class Line {
        @Id
        Long id;

        String product;

        @ManyToOne(fetch = FetchType.LAZY)
        Order order;
    }

    @Entity(name = "Note")
    static class Note {
        @Id
        Long id;
    }

    @Entity(name = "Both")
    @Master(value = "both", fields = "id", serializer = NoteSerializer.class)
    static class Both extends MasterEntity {
        @Id
        Long id;
    }

    @Entity(name = "Grade")
    @Master(value = "grade", serializer = GradeSerializer.class)
    static class Grade extends MasterEntity {
        @Id
        @Column(precision = 10, scale = 2)
        BigDecimal level;

        String name;
    }

    static class GradeSerializer implements MasterSerializer<Grade> {
        @Override
        public Object serialize(Grade grade) {
            return Map.of("level", grade.level, "name", grade.name);
        }
    }

    static class NoteSerializer implements MasterSerializer<Object> {
        @Override
        public Object serialize(Object entity) {
            return Map.of();
        }
    }

    @Entity(name = "NoGraph")
    @Master(value = "no_graph", serializer = NoteSerializer.class, entityGraph = "nowhere")
    static class NoGraph extends MasterEntity {
        @Id
        Long id;
    }

    @Entity(name = "GraphOnly")
    @Master(value = "graph_only", entityGraph = "full")
    static class GraphOnly extends MasterEntity {
        @Id
        Long id;
    }

    static class Unmakeable implements MasterSerializer<Object> {
        private final List<Object> needed = new ArrayList<>();

        Unmakeable(Object needed) {
            this.needed.add(needed);
        }

        @Override
        public Object serialize(Object entity) {
            return needed;
        }
    }

    @Entity(name = "NoConstructor")
    @Master(value = "no_constructor", serializer = Unmakeable.class)
    static class NoConstructor extends MasterEntity {
        @Id
        Long id;
    }

    @Entity(name = "NoPath")
    @Master(value = "no_path", dependsOn = "customer.nation")
    static class NoPath extends MasterEntity {
        @Id
        Long id;

        @ManyToOne
        Customer customer;
    }

    @Entity(name = "OneWay")
    @Master(value = "one_way", dependsOn = "countries")
    static class OneWay extends MasterEntity {
        @Id
        Long id;

        @OneToMany
        @JoinColumn(name = "one_way_id")
        Set<Country> countries = new LinkedHashSet<>();
    }

    @Entity(name = "NoEntity")
    @Master(value = "no_entity", dependsOn = "name")
    static class NoEntity extends MasterEntity {
        @Id
        Long id;

        String name;
    }

    @Entity(name = "Uncounted")
    @Master(value = "uncounted", dependsOn = "customers")
    static class Uncounted extends MasterEntity {
        @Id
        Long id;

        @ManyToMany
        @OptimisticLock(excluded = true)
        Set<Customer> customers = new LinkedHashSet<>();
    }

    @Entity(name = "Node")
    @Master(
            value = "node",
            dependsOn = {"parent", "children"})
    static class Node extends MasterEntity {
        @Id
        Long id;

        @ManyToOne(fetch = FetchType.LAZY)
        Node parent;

        @OneToMany(mappedBy = "parent")
        Set<Node> children = new LinkedHashSet<>();

        protected Node() {}

        Node(long id, Node parent) {
            this.id = id;
            this.parent = parent;
        }
    }

    @Entity(name = "Cached")
    @Cacheable
    @Cache(usage = CacheConcurrencyStrategy.READ_WRITE)
    @Master(value = "cached", serializer = CachedSerializer.class)
    static class Cached extends MasterEntity {
        @Id
        Long id;

        protected Cached() {}

        Cached(long id) {
            this.id = id;
        }
    }

    static class CachedSerializer implements MasterSerializer<Cached> {
        @Override
        public Object serialize(Cached cached) {
            if (cached.id == 2) {
                throw new IllegalStateException("not this one");
            }
            return Map.of("id", cached.id);
        }
    }
}
