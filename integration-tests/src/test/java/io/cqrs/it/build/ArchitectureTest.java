package io.cqrs.it.build;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import io.cqrs.core.CqrsException;
import io.cqrs.it.support.TestEnvironment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/** What keeps the modules apart. */
@AnalyzeClasses(packages = "io.cqrs", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

    @ArchTest
    static final ArchRule CORE_KNOWS_NOBODY = noClasses()
            .that()
            .resideInAPackage("io.cqrs.core..")
            .should()
            .dependOnClassesThat(resideInAnyPackage(
                    "io.cqrs.transport..", "io.cqrs.master..", "io.cqrs.replica..", "io.cqrs.tools.."))
            .because("modules point one way: core <- transport <- {master, replica} <- tools");

    @ArchTest
    static final ArchRule TRANSPORT_KNOWS_CORE_ONLY = noClasses()
            .that()
            .resideInAPackage("io.cqrs.transport..")
            .should()
            .dependOnClassesThat(resideInAnyPackage("io.cqrs.master..", "io.cqrs.replica..", "io.cqrs.tools.."))
            .because("modules point one way: core <- transport <- {master, replica} <- tools");

    @ArchTest
    static final ArchRule MASTER_AND_REPLICA_NEVER_MEET = noClasses()
            .that()
            .resideInAPackage("io.cqrs.master..")
            .should()
            .dependOnClassesThat(resideInAnyPackage("io.cqrs.replica..", "io.cqrs.tools.."))
            .because("a service is one, the other or both, and needs what it is only");

    @ArchTest
    static final ArchRule REPLICA_AND_MASTER_NEVER_MEET = noClasses()
            .that()
            .resideInAPackage("io.cqrs.replica..")
            .should()
            .dependOnClassesThat(resideInAnyPackage("io.cqrs.master..", "io.cqrs.tools.."))
            .because("a service is one, the other or both, and needs what it is only");

    @ArchTest
    static final ArchRule INTERNALS_STAY_INSIDE = classes()
            .that()
            .resideInAPackage("io.cqrs..internal..")
            .should(new ArchCondition<JavaClass>("be used by their own module only") {
                @Override
                public void check(JavaClass item, ConditionEvents events) {
                    item.getDirectDependenciesToSelf().stream()
                            .filter(use -> !module(use.getOriginClass()).equals(module(item)))
                            .forEach(use -> events.add(SimpleConditionEvent.violated(use, use.getDescription())));
                }
            })
            .because("internal packages change without notice");

    @ArchTest
    static final ArchRule RABBITMQ_STAYS_IN_ITS_ADAPTER = noClasses()
            .that()
            .resideInAPackage("io.cqrs..")
            .and(DescribedPredicate.not(resideInAnyPackage("io.cqrs.transport.rabbit..", "io.cqrs.benchmarks..")))
            .should()
            .dependOnClassesThat(resideInAPackage("com.rabbitmq.."))
            .because("another broker's client must not change anything else");

    @ArchTest
    static final ArchRule HIBERNATE_STAYS_IN_ITS_ADAPTERS = noClasses()
            .that()
            .resideInAnyPackage("io.cqrs.core..", "io.cqrs.transport..", "io.cqrs.master..", "io.cqrs.replica..")
            .and(DescribedPredicate.not(
                    resideInAnyPackage("io.cqrs.master.hibernate..", "io.cqrs.replica.hibernate..")))
            .should()
            .dependOnClassesThat(resideInAPackage("org.hibernate.."))
            .because("tables can be masters and replicas without it");

    @ArchTest
    static final ArchRule CORE_IS_LEAN = classes()
            .that()
            .resideInAPackage("io.cqrs.core..")
            .should()
            .onlyDependOnClassesThat(
                    resideInAnyPackage("io.cqrs.core..", "java..", "javax.sql..", "org.slf4j..", "org.jspecify..")
                            .or(resideInAPackage("org.flywaydb.."))
                            .or(resideInAPackage("org.postgresql..")))
            .because("everybody depends on it");

    @ArchTest
    static final ArchRule FLYWAY_STAYS_IN_THE_SCHEMA = noClasses()
            .that()
            .resideInAPackage("io.cqrs..")
            .and()
            .resideOutsideOfPackage("io.cqrs.core.schema..")
            .should()
            .dependOnClassesThat(resideInAPackage("org.flywaydb.."))
            .because("only the schema is migrated");

    @ArchTest
    static final ArchRule JSON_STAYS_IN_THE_CODEC = noClasses()
            .that()
            .resideInAnyPackage("io.cqrs.core..", "io.cqrs.master..", "io.cqrs.replica..", "io.cqrs.transport.spi..")
            .should()
            .dependOnClassesThat(resideInAnyPackage("com.fasterxml..", "tools.jackson.."))
            .because("the format is one module's business");

    @ArchTest
    static final ArchRule NO_CYCLES_AMONG_MODULES =
            slices().matching("io.cqrs.(*)..").should().beFreeOfCycles();

    /** A module's root package is its public face: it builds what lies below, which speaks its types. */
    @ArchTest
    static final ArchRule NO_CYCLES_BELOW_THE_ROOT_PACKAGES =
            slices().matching("io.cqrs.(*).(**)").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule ERRORS_HAVE_ONE_ROOT = classes()
            .that()
            .resideInAPackage("io.cqrs..")
            .and()
            .areAssignableTo(Exception.class)
            .should()
            .beAssignableTo(CqrsException.class);

    @ArchTest
    static final ArchRule NO_OPTIONAL_FIELDS = fields().that()
            .areDeclaredInClassesThat(resideInAnyPackage(
                    "io.cqrs.core..", "io.cqrs.transport..", "io.cqrs.master..", "io.cqrs.replica.."))
            .should()
            .notHaveRawType(Optional.class);

    @ArchTest
    static final ArchRule NO_SLEEPS_AND_NO_OLD_DATES = noClasses()
            .that()
            .resideInAPackage("io.cqrs..")
            .should()
            .callMethod(Thread.class, "sleep", long.class)
            .orShould()
            .dependOnClassesThat()
            .haveFullyQualifiedName("java.util.Date")
            .because("waiting loops use the Waiter, times are java.time");

    @ArchTest
    static final ArchRule THE_CLOCK_IS_GIVEN = noClasses()
            .that()
            .resideInAnyPackage("io.cqrs.core..", "io.cqrs.transport..", "io.cqrs.master..", "io.cqrs.replica..")
            .should()
            .callMethod(java.time.Instant.class, "now")
            .orShould()
            .callMethod(System.class, "currentTimeMillis");

    @ArchTest
    static final ArchRule LIBRARIES_PRINT_NOTHING = noClasses()
            .that()
            .resideInAnyPackage("io.cqrs.core..", "io.cqrs.transport..", "io.cqrs.master..", "io.cqrs.replica..")
            .should()
            .accessField(System.class, "out")
            .orShould()
            .accessField(System.class, "err");

    /** Bytes from outside become values of a few known types, never objects of a class that they name. */
    @ArchTest
    static final ArchRule NOTHING_IS_DESERIALIZED = noClasses()
            .that()
            .resideInAPackage("io.cqrs..")
            .should()
            .dependOnClassesThat()
            .haveNameMatching("java\\.io\\.Object(Input|Output)Stream"
                    + "|com\\.fasterxml\\.jackson\\.annotation\\.JsonTypeInfo.*"
                    + "|com\\.fasterxml\\.jackson\\.databind\\.jsontype\\..*|java\\.beans\\.XMLDecoder");

    @ArchTest
    static final ArchRule PACKAGES_ARE_NULL_MARKED = classes()
            .that()
            .resideInAPackage("io.cqrs..")
            .and()
            .haveSimpleNameNotEndingWith("package-info")
            .should(new ArchCondition<JavaClass>("lie in a @NullMarked package") {
                @Override
                public void check(JavaClass item, ConditionEvents events) {
                    if (!item.getPackage().isAnnotatedWith(NullMarked.class)) {
                        events.add(SimpleConditionEvent.violated(item, item.getPackageName() + " is not @NullMarked"));
                    }
                }
            });

    @Test
    void keepsFilesShort() throws IOException {
        List<String> tooLong = mainSources()
                .filter(file -> lines(file) > 350)
                .map(Path::toString)
                .toList();
        assertThat(tooLong).as("main files of more than 350 lines").isEmpty();
    }

    @Test
    void looksAtAllModules() throws IOException {
        assertThat(mainSources()).hasSizeGreaterThan(80);
    }

    private static Stream<Path> mainSources() throws IOException {
        List<Path> sources;
        try (Stream<Path> files = Files.walk(TestEnvironment.root())) {
            sources = files.filter(file -> file.toString().contains("/src/main/java/"))
                    .filter(file -> file.toString().endsWith(".java"))
                    .toList();
        }
        return sources.stream();
    }

    private static int lines(Path file) {
        try {
            return Files.readAllLines(file).size();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String module(JavaClass type) {
        return Stream.of(type.getPackageName().split("\\.")).limit(3).reduce("", (a, b) -> a + "." + b);
    }
}
