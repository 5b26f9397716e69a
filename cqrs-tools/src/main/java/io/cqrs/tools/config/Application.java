package io.cqrs.tools.config;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.master.Master;
import io.cqrs.master.MasterTable;
import io.cqrs.master.TriggerCapture;
import io.cqrs.replica.Replica;
import jakarta.persistence.Converter;
import jakarta.persistence.Embeddable;
import jakarta.persistence.Entity;
import jakarta.persistence.MappedSuperclass;
import java.io.IOException;
import java.lang.annotation.Annotation;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import javax.sql.DataSource;
import org.hibernate.SessionFactory;
import org.hibernate.boot.registry.BootstrapServiceRegistryBuilder;
import org.hibernate.cfg.Configuration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The user's classes: a jar whose entities declare masters and replicas, an executable one too. */
public final class Application implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Application.class);
    private static final Set<Class<? extends Annotation>> MAPPED =
            Set.of(Entity.class, MappedSuperclass.class, Embeddable.class, Converter.class);

    /** Where executable jars and web archives keep their classes. */
    private static final List<String> FOLDERS = List.of("BOOT-INF/classes/", "WEB-INF/classes/");

    private static final int UNLOADABLE_TOLD = 5;

    private final Path jar;
    private final URLClassLoader loader;
    private final Map<String, String> properties;
    private final Set<String> unloadable = new TreeSet<>();

    private Application(Path jar, URLClassLoader loader, Map<String, String> properties) {
        this.jar = jar;
        this.loader = loader;
        this.properties = properties;
    }

    /**
     * Opens a jar.
     *
     * @param properties what the application sets of its persistence unit
     * @throws CqrsConfigurationException if it does not exist
     */
    public static Application open(Path jar, Map<String, String> properties) {
        if (!Files.isRegularFile(jar)) {
            throw new CqrsConfigurationException("application jar " + jar + " does not exist");
        }
        try {
            List<URL> urls = new ArrayList<>(List.of(jar.toUri().toURL()));
            for (String folder : FOLDERS) {
                urls.add(URI.create("jar:" + jar.toUri() + "!/" + folder).toURL());
            }
            return new Application(
                    jar,
                    new URLClassLoader(urls.toArray(URL[]::new), Application.class.getClassLoader()),
                    Map.copyOf(properties));
        } catch (IOException e) {
            throw new CqrsConfigurationException("application jar " + jar + " can't be opened: " + e.getMessage(), e);
        }
    }

    /**
     * Opens its replicas on a database, which may be down; the factory is the caller's to close, before this.
     *
     * @throws CqrsConfigurationException if there is none
     */
    public SessionFactory openReplicas(DataSource database) {
        Configuration configuration = offline(Replica.class);
        configuration.getProperties().put("hibernate.connection.datasource", database);
        return configuration.buildSessionFactory();
    }

    /**
     * Returns masters that its entities declare, as tables.
     *
     * @throws CqrsConfigurationException if there is none, or one of those wanted can't be captured by triggers
     */
    public List<MasterTable> masterTables(Predicate<CqrsId> wanted) {
        return ofMasters(sessions -> TriggerCapture.tablesOf(sessions, wanted));
    }

    /**
     * Returns those of its masters that triggers can capture, as tables.
     *
     * @param left is told of each other one, and why it can't be
     * @throws CqrsConfigurationException if it has no master
     */
    public List<MasterTable> capturableTables(Predicate<CqrsId> wanted, BiConsumer<CqrsId, String> left) {
        return ofMasters(sessions -> TriggerCapture.capturableTablesOf(sessions, wanted, left));
    }

    /**
     * Returns its masters as tables of no more than keys, revisions and times.
     *
     * @throws CqrsConfigurationException if there is none, or the rows of one are in several tables
     */
    public List<MasterTable> masterKeyTables(Predicate<CqrsId> wanted) {
        return ofMasters(sessions -> TriggerCapture.keyTablesOf(sessions, wanted));
    }

    private List<MasterTable> ofMasters(Function<SessionFactory, List<MasterTable>> read) {
        try (SessionFactory sessions = offline(Master.class).buildSessionFactory()) {
            return read.apply(sessions);
        }
    }

    /**
     * Opens its masters on a database; the factory is the caller's to close, before this.
     *
     * @throws CqrsConfigurationException if there is none
     */
    public SessionFactory openMasters(DataSource database) {
        Configuration configuration = configuration(Master.class);
        configuration.getProperties().put("hibernate.connection.datasource", database);
        return configuration.buildSessionFactory();
    }

    /** Finds the entity that is a master. */
    public static Optional<Class<?>> master(SessionFactory sessions, CqrsId cqrsId) {
        return sessions.getMetamodel().getEntities().stream()
                .<Class<?>>map(entity -> entity.getJavaType())
                .filter(type -> type.isAnnotationPresent(Master.class))
                .filter(type -> type.getAnnotation(Master.class).value().equals(cqrsId.value()))
                .findFirst();
    }

    /** Only the mapping is wanted: the database may be down while it is read. */
    private Configuration offline(Class<? extends Annotation> wanted) {
        return configuration(wanted)
                .setProperty("hibernate.boot.allow_jdbc_metadata_access", "false")
                .setProperty("hibernate.dialect", "org.hibernate.dialect.PostgreSQLDialect");
    }

    private Configuration configuration(Class<? extends Annotation> wanted) {
        List<Class<?>> mapped = mappedClasses();
        if (mapped.stream().noneMatch(type -> type.isAnnotationPresent(wanted))) {
            throw new CqrsConfigurationException(
                    "application jar " + jar + " has no entity with @" + wanted.getSimpleName()
                            + (unloadable.isEmpty()
                                    ? ""
                                    : "; these of its classes need others that are not in it: " + unloadable));
        }
        Configuration configuration = new Configuration(
                new BootstrapServiceRegistryBuilder().applyClassLoader(loader).build());
        mapped.forEach(configuration::addAnnotatedClass);
        properties.forEach(configuration::setProperty);
        return configuration;
    }

    @Override
    public void close() {
        try {
            loader.close();
        } catch (IOException e) {
            LOG.debug("{} could not be closed", jar, e);
        }
    }

    private List<Class<?>> mappedClasses() {
        List<Class<?>> mapped = new ArrayList<>();
        try (JarFile file = new JarFile(jar.toFile())) {
            for (JarEntry entry : file.stream().toList()) {
                String name = withoutFolder(entry.getName());
                if (name.endsWith(".class") && !name.startsWith("META-INF/") && !name.endsWith("-info.class")) {
                    addIfMapped(
                            name.substring(0, name.length() - ".class".length()).replace('/', '.'), mapped);
                }
            }
        } catch (IOException e) {
            throw new CqrsConfigurationException("application jar " + jar + " is no jar: " + e.getMessage(), e);
        }
        return mapped;
    }

    private static String withoutFolder(String entry) {
        return FOLDERS.stream()
                .filter(entry::startsWith)
                .map(folder -> entry.substring(folder.length()))
                .findFirst()
                .orElse(entry);
    }

    private void addIfMapped(String name, List<Class<?>> mapped) {
        try {
            Class<?> type = Class.forName(name, false, loader);
            if (MAPPED.stream().anyMatch(type::isAnnotationPresent)) {
                mapped.add(type);
            }
        } catch (ClassNotFoundException | LinkageError e) {
            // A class that needs a library we don't have can still be no entity of ours.
            LOG.debug("{} of {} can't be loaded", name, jar, e);
            if (unloadable.size() < UNLOADABLE_TOLD) {
                unloadable.add(name);
            }
        }
    }
}
