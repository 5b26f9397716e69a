package io.cqrs.master.hibernate;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.CqrsId;
import io.cqrs.core.Signal;
import io.cqrs.core.jdbc.TableName;
import io.cqrs.master.MasterTable;
import io.cqrs.master.hibernate.model.Column;
import io.cqrs.master.hibernate.model.MasterField;
import io.cqrs.master.hibernate.model.MasterModel;
import jakarta.persistence.EntityManagerFactory;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.hibernate.engine.spi.SessionFactoryImplementor;
import org.hibernate.metamodel.spi.MappingMetamodelImplementor;
import org.hibernate.persister.entity.EntityPersister;
import org.hibernate.persister.entity.UnionSubclassEntityPersister;
import org.jspecify.annotations.Nullable;

/** Masters as triggers see them: what Hibernate keeps in one table. Stateless. */
public final class EntityTables {

    private static final Comparator<MasterModel> DECLARING_FIRST = Comparator.comparing((MasterModel model) ->
                    !model.entityName().equals(model.type().getName()))
            .thenComparing(MasterModel::entityName);

    private EntityTables() {}

    /**
     * Returns the tables of masters.
     *
     * @throws CqrsConfigurationException if a master needs Java for its messages, or has more than one table
     */
    public static List<MasterTable> of(EntityManagerFactory factory, Predicate<CqrsId> wanted) {
        return tables(factory, wanted, (id, wrong) -> {
            throw wrong;
        });
    }

    /**
     * Returns the tables of those masters that triggers can capture.
     *
     * @param left is told of each other one, and why it can't be
     */
    public static List<MasterTable> capturable(
            EntityManagerFactory factory, Predicate<CqrsId> wanted, BiConsumer<CqrsId, String> left) {
        return tables(factory, wanted, (id, wrong) -> left.accept(id, wrong.getMessage()));
    }

    private static List<MasterTable> tables(
            EntityManagerFactory factory,
            Predicate<CqrsId> wanted,
            BiConsumer<CqrsId, CqrsConfigurationException> otherwise) {
        Map<String, Class<?>> types = types(factory);
        List<MasterTable> tables = new ArrayList<>();
        ids(factory, wanted).forEach(id -> {
            try {
                tables.add(table(factory, hierarchy(factory, id), types));
            } catch (CqrsConfigurationException e) {
                otherwise.accept(id, e);
            }
        });
        return tables;
    }

    /**
     * Returns the table of one master.
     *
     * @throws CqrsConfigurationException if it needs Java for its messages, or has more than one table
     */
    static MasterTable of(EntityManagerFactory factory, CqrsId cqrsId) {
        List<MasterModel> hierarchy = hierarchy(factory, cqrsId);
        return table(factory, hierarchy, types(factory));
    }

    /**
     * Returns tables of no more than keys, revisions and times, whatever the masters' messages need.
     *
     * @throws CqrsConfigurationException if the rows of one are in several tables
     */
    public static List<MasterTable> keysOf(EntityManagerFactory factory, Predicate<CqrsId> wanted) {
        return ids(factory, wanted).map(id -> keysOf(factory, id)).toList();
    }

    private static Stream<CqrsId> ids(EntityManagerFactory factory, Predicate<CqrsId> wanted) {
        return Capture.of(factory).models().values().stream()
                .map(MasterModel::cqrsId)
                .filter(wanted)
                .distinct()
                .sorted(Comparator.comparing(CqrsId::value));
    }

    /**
     * Returns a table of no more than keys, revisions and times.
     *
     * @throws CqrsConfigurationException if the rows are in several tables
     */
    static MasterTable keysOf(EntityManagerFactory factory, CqrsId cqrsId) {
        List<MasterModel> hierarchy = hierarchy(factory, cqrsId);
        MasterModel first = hierarchy.get(0);
        Set<String> tables = hierarchy.stream()
                .map(model -> model.revision().column().table())
                .collect(Collectors.toSet());
        if (tables.size() > 1) {
            throw new CqrsConfigurationException(first.type().getName() + " keeps the rows of " + cqrsId + " in "
                    + new TreeSet<>(tables) + ": declare each table under masters in cqrs.yaml to dump or compare it");
        }
        String table = first.revision().column().table();
        Map<String, String> fields = new LinkedHashMap<>();
        first.key().parts().forEach(part -> put(first, table, part, fields));
        return keyed(first, table).withFields(fields);
    }

    /**
     * Returns the rows of a master as a table of no more than keys, revisions and times.
     *
     * @throws CqrsConfigurationException if they are in several tables, or no column tells them from another master's
     */
    static MasterTable rowsOf(EntityManagerFactory factory, CqrsId cqrsId) {
        List<MasterModel> hierarchy = hierarchy(factory, cqrsId);
        return keysOf(factory, cqrsId)
                .withFilter(filter(factory, hierarchy), hierarchy.get(0).whenExcluded());
    }

    /** The class that declares it comes first: its key and stamp are in the table that all of its rows are in. */
    private static List<MasterModel> hierarchy(EntityManagerFactory factory, CqrsId cqrsId) {
        return Capture.of(factory).models().values().stream()
                .filter(model -> model.cqrsId().equals(cqrsId))
                .sorted(DECLARING_FIRST)
                .toList();
    }

    private static Map<String, Class<?>> types(EntityManagerFactory factory) {
        Map<String, Class<?>> types = new HashMap<>();
        factory.getMetamodel()
                .getEntities()
                .forEach(entity -> types.put(entity.getJavaType().getName(), entity.getJavaType()));
        return types;
    }

    private static MasterTable keyed(MasterModel first, String table) {
        return MasterTable.of(first.cqrsId(), TableName.parse(parsable(table)))
                .withKey(first.key().parts().stream()
                        .flatMap(part -> part.columns().stream())
                        .map(Column::name)
                        .toList())
                .withStamp(
                        first.revision().column().name(),
                        first.updated().column().name());
    }

    private static MasterTable table(
            EntityManagerFactory factory, List<MasterModel> hierarchy, Map<String, Class<?>> types) {
        MasterModel first = hierarchy.get(0);
        String table = first.revision().column().table();
        Map<String, String> fields = new LinkedHashMap<>();
        Set<String> tracked = new HashSet<>();
        for (MasterModel model : hierarchy) {
            requireColumns(model, types.get(model.entityName()));
            first.key().parts().forEach(part -> put(model, table, part, fields));
            MasterModel.@Nullable Kind kind = model.kind();
            if (kind != null) {
                fields.put(kind.column().name(), kind.name());
            }
            for (MasterField field : model.fields()) {
                for (MasterField.Single single : field.singles()) {
                    put(model, table, single, fields);
                    if (model.tracked().contains(single.name())) {
                        tracked.add(single.columns().get(0).name());
                    }
                }
            }
        }
        return keyed(first, table)
                .withFields(fields)
                .withTracked(tracked)
                .withFilter(filter(factory, hierarchy), first.whenExcluded())
                .withExpiry(first.expiry());
    }

    private static void requireColumns(MasterModel model, @Nullable Class<?> type) {
        if (model.serialization() != null) {
            throw wrong(model, "has a serializer");
        }
        if (!model.produce()) {
            throw wrong(model, "has produce = false");
        }
        if (type != null
                && (Mixins.overrides(type, "cqrsMeta", Signal.class) || Mixins.overrides(type, "cqrsDeleteData"))) {
            throw wrong(model, "has a cqrsMeta or cqrsDeleteData of its own, which the database can't ask");
        }
        if (type != null && Mixins.overrides(type, "isSyncInstance")) {
            throw wrong(model, "has an isSyncInstance of its own, which the database can't ask: give a filter in SQL");
        }
    }

    private static void put(MasterModel model, String table, MasterField.Single single, Map<String, String> fields) {
        if (single.columns().size() != 1) {
            throw wrong(model, "sends " + single.name() + ", which is not one column");
        }
        Column column = single.columns().get(0);
        if (!column.table().equals(table)) {
            throw wrong(model, "keeps " + single.name() + " in " + column.table() + ", not in " + table);
        }
        fields.put(column.name(), single.name());
    }

    /** Returns what tells the rows of a model from others' in its table, or null where nothing has to. */
    private static @Nullable String filter(EntityManagerFactory factory, List<MasterModel> hierarchy) {
        MasterModel first = hierarchy.get(0);
        MasterModel.@Nullable Kind kind = first.kind();
        if (kind != null) {
            return hierarchy.stream()
                    .map(model -> Objects.requireNonNull(model.kind(), "kind").value())
                    .map(value -> value instanceof Long number ? number.toString() : literal(value))
                    .distinct()
                    .collect(Collectors.joining(
                            ", ", TableName.quote(kind.column().name()) + " in (", ")"));
        }
        MappingMetamodelImplementor mapping =
                factory.unwrap(SessionFactoryImplementor.class).getMappingMetamodel();
        EntityPersister entity = mapping.getEntityDescriptor(first.entityName());
        if (entity instanceof UnionSubclassEntityPersister) {
            return null;
        }
        Set<String> own = hierarchy.stream().map(MasterModel::entityName).collect(Collectors.toSet());
        for (String other :
                mapping.getEntityDescriptor(entity.getRootEntityName()).getSubclassEntityNames()) {
            if (!own.contains(other) && !mapping.getEntityDescriptor(other).isAbstract()) {
                throw new CqrsConfigurationException(first.type().getName() + " has its rows in "
                        + first.revision().column().table() + " with those of " + other
                        + ", which is not the same master, and no column tells them apart: add a @DiscriminatorColumn");
            }
        }
        return null;
    }

    private static String literal(Object text) {
        return "'" + text.toString().replace("'", "''") + "'";
    }

    /** Hibernate writes names as SQL does: what is not quoted means lower case. */
    private static String parsable(String table) {
        StringBuilder folded = new StringBuilder();
        boolean quoted = false;
        for (char c : table.toCharArray()) {
            quoted ^= c == '"';
            folded.append(
                    quoted ? c : Character.toString(c).toLowerCase(Locale.ROOT).charAt(0));
        }
        return folded.toString();
    }

    private static CqrsConfigurationException wrong(MasterModel model, String what) {
        return new CqrsConfigurationException(model.type().getName() + " can't be captured by triggers as it is: it "
                + what + ". Declare its table under masters in cqrs.yaml, or leave it to Hibernate's capture");
    }
}
