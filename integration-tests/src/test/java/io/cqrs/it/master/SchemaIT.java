package io.cqrs.it.master;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.jdbc.UrlDataSource;
import io.cqrs.core.schema.CqrsSchema;
import io.cqrs.it.support.TestDatabase;
import io.cqrs.it.support.TestEnvironment;
import io.cqrs.it.support.TestProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The framework's tables beside a user's own. */
@ExtendWith(TestEnvironment.class)
class SchemaIT {

    private static final int MIGRATIONS = 5;

    @TempDir
    Path migrations;

    @Test
    void livesBesideAUsersFlywayInEitherOrderAndSurvivesItsClean() throws Exception {
        TestDatabase database = TestEnvironment.database("schema");
        Flyway users = usersFlyway(database, "public");
        assertThat(users.migrate().migrationsExecuted).isEqualTo(1);
        assertThat(CqrsSchema.standard().migrate(database.dataSource())).isEqualTo(MIGRATIONS);
        assertThat(users.migrate().migrationsExecuted).isZero();
        users.validate();
        assertThat(CqrsSchema.standard().migrate(database.dataSource())).isZero();
        users.clean();
        assertThat(database.count("cqrs.outbox")).isZero();
        assertThat(CqrsSchema.standard().migrate(database.dataSource())).isZero();
    }

    @Test
    void sharesASchemaWithAUsersTables() throws Exception {
        TestDatabase database = TestEnvironment.database("shared_schema");
        Flyway users = usersFlyway(database, "public");
        users.migrate();
        CqrsSchema shared = CqrsSchema.named("public");
        assertThat(shared.migrate(database.dataSource())).isEqualTo(MIGRATIONS);
        assertThat(shared.migrate(database.dataSource())).isZero();
        users.validate();
        assertThat(users.migrate().migrationsExecuted).isZero();
        assertThat(database.count("public.outbox")).isZero();
    }

    @Test
    void letsAUsersFlywayBeginInASharedSchemaAfterItWithABaseline() throws Exception {
        TestDatabase database = TestEnvironment.database("shared_after");
        CqrsSchema.named("public").migrate(database.dataSource());
        Files.writeString(migrations.resolve("V1__users.sql"), "create table users_table (id int);");
        Flyway users = Flyway.configure()
                .dataSource(database.dataSource())
                .locations("filesystem:" + migrations)
                .baselineOnMigrate(true)
                .baselineVersion("0")
                .load();
        assertThat(users.migrate().migrationsExecuted).isEqualTo(1);
        assertThat(CqrsSchema.named("public").migrate(database.dataSource())).isZero();
    }

    @Test
    void isMadeOnceByManyThreadsAtOnce() throws Exception {
        TestDatabase database = TestEnvironment.database("racing");
        ExecutorService threads = Executors.newFixedThreadPool(6);
        try {
            List<Future<Integer>> racing = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                racing.add(threads.submit(() -> CqrsSchema.standard().migrate(database.dataSource())));
            }
            int applied = 0;
            for (Future<Integer> one : racing) {
                applied += one.get();
            }
            assertThat(applied).isEqualTo(MIGRATIONS);
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void isMadeOnceByManyProcessesAtOnce() throws Exception {
        TestDatabase database = TestEnvironment.database("processes");
        List<TestProcess> racing = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            racing.add(TestProcess.cqrs("migrate", "--database-url", database.url())
                    .start());
        }
        for (TestProcess one : racing) {
            assertThat(one.awaitExit()).as(one.output()).isZero();
        }
        assertThat(database.rows("select count(*) from cqrs.flyway_schema_history_cqrs where version = '1'"))
                .containsExactly("1");
    }

    @Test
    void saysWhoMayWhereTheUserMayNot() {
        TestDatabase database = TestEnvironment.database("no_rights");
        String role = "nobody_" + System.nanoTime();
        database.execute("create role " + role + " login password 'x'");
        try {
            assertThatExceptionOfType(CqrsConfigurationException.class)
                    .isThrownBy(() -> CqrsSchema.standard()
                            .migrate(UrlDataSource.of(database.url().replaceAll("\\?.*", ""), role, "x")))
                    .withMessageContaining("cqrs migrate");
        } finally {
            database.execute("drop role " + role);
        }
    }

    private Flyway usersFlyway(TestDatabase database, String schema) throws Exception {
        Files.writeString(migrations.resolve("V1__users.sql"), "create table users_table (id int);");
        return Flyway.configure()
                .dataSource(database.dataSource())
                .schemas(schema)
                .locations("filesystem:" + migrations)
                .cleanDisabled(false)
                .load();
    }
}
