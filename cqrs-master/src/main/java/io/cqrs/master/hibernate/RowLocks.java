package io.cqrs.master.hibernate;

import io.cqrs.core.jdbc.TableName;
import io.cqrs.master.hibernate.model.Column;
import io.cqrs.master.hibernate.model.MasterKey;
import io.cqrs.master.hibernate.model.MasterModel;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;
import org.hibernate.engine.spi.SharedSessionContractImplementor;
import org.hibernate.metamodel.mapping.AttributeMapping;
import org.hibernate.metamodel.mapping.CompositeIdentifierMapping;
import org.hibernate.metamodel.mapping.EmbeddableMappingType;
import org.hibernate.metamodel.mapping.EntityIdentifierMapping;
import org.hibernate.metamodel.mapping.JdbcMapping;
import org.hibernate.metamodel.mapping.ModelPart;
import org.hibernate.metamodel.mapping.internal.EmbeddedAttributeMapping;
import org.hibernate.metamodel.mapping.internal.ToOneAttributeMapping;
import org.hibernate.persister.entity.EntityPersister;
import org.jspecify.annotations.Nullable;

/**
 * Locks rows of masters until the transaction ends, in the table that has their keys and revisions, which each writer of
 * an entity writes. A lock of Hibernate's own queries won't do for entities of several tables: it comes after the
 * read, covers one of the tables, or does not come at all where the result is scrolled or is no entity. What was read before is
 * to be read again behind the lock. Stateless.
 */
final class RowLocks {

    /** Keeps others from writing the rows. */
    static final String SHARE = "for share";

    /** Keeps others from writing or sharing the rows, not from inserting rows that refer to them: as an update does. */
    static final String UPDATE = "for no key update";

    /** Keeps others from that, too: as a delete does. */
    static final String DELETE = "for update";

    private static final String NO_TIME = "null::timestamptz";

    private RowLocks() {}

    /**
     * Locks the rows that there are, in the order of their keys.
     *
     * @return their times, of those that have one beside their key
     */
    static List<Instant> lock(
            SharedSessionContractImplementor session, MasterModel model, Collection<?> ids, String strength) {
        EntityPersister persister = session.getFactory().getMappingMetamodel().getEntityDescriptor(model.entityName());
        Column time = model.updated().column();
        boolean beside = time.table().equals(table(persister));
        JdbcMapping type =
                (JdbcMapping) persister.getPropertyTypes()[model.updated().index()];
        String selected = beside ? TableName.quote(time.name()) : NO_TIME;
        return lock(session, persister, ids, new Wanted(selected, type, strength));
    }

    /** Locks rows of an entity, be it a master or not. */
    static void lock(SharedSessionContractImplementor session, String entityName, Collection<?> ids, String strength) {
        EntityPersister persister = session.getFactory().getMappingMetamodel().getEntityDescriptor(entityName);
        JdbcMapping type = session.getTypeConfiguration().getBasicTypeForJavaType(Instant.class);
        List<Instant> unused = lock(session, persister, ids, new Wanted(NO_TIME, type, strength));
    }

    private static String table(EntityPersister persister) {
        return persister.getIdentifierTableDetails().getTableName();
    }

    private static List<Instant> lock(
            SharedSessionContractImplementor session, EntityPersister persister, Collection<?> ids, Wanted wanted) {
        if (ids.isEmpty()) {
            return List.of();
        }
        List<String> names = new ArrayList<>();
        List<Parameter> values = new ArrayList<>();
        EntityIdentifierMapping key = persister.getIdentifierMapping();
        for (Object id : ids) {
            names.clear();
            int unused = key.breakDownJdbcValues(
                    id,
                    (index, value, part) -> {
                        names.add(part.getSelectionExpression());
                        values.add(new Parameter(part.getJdbcMapping(), value));
                    },
                    session);
        }
        String columns = String.join(", ", names);
        String row = names.stream().map(name -> "?").collect(Collectors.joining(", ", "(", ")"));
        String sql = "select " + wanted.selected() + " from " + table(persister) + " where (" + columns + ") in ("
                + ids.stream().map(id -> row).collect(Collectors.joining(", ")) + ") order by "
                + String.join(", ", order(key)) + " " + wanted.strength();
        try (PreparedStatement select = Sessions.connection(session).prepareStatement(sql)) {
            for (int i = 0; i < values.size(); i++) {
                values.get(i).bind(select, i + 1, session);
            }
            List<@Nullable Instant> times = read(select, wanted.type(), session);
            // A row that was deleted and created anew while this one waited is none of that statement's moment.
            return withoutNulls(times.size() < ids.size() ? read(select, wanted.type(), session) : times);
        } catch (SQLException e) {
            throw session.getJdbcServices()
                    .getSqlExceptionHelper()
                    .convert(e, "rows of " + persister.getEntityName() + " could not be locked", sql);
        }
    }

    /** As syncs and bulk writes have the parts of a key ({@link KeyOrder}), those of a key within it too. */
    private static List<String> order(EntityIdentifierMapping key) {
        return key instanceof CompositeIdentifierMapping composite
                ? order(composite.getMappedIdEmbeddableTypeDescriptor())
                : columns(key);
    }

    private static List<String> order(EmbeddableMappingType type) {
        List<String> columns = new ArrayList<>();
        for (int place : MasterKey.places(type)) {
            AttributeMapping part = type.getAttributeMapping(place);
            if (part instanceof EmbeddedAttributeMapping inner) {
                columns.addAll(order(inner.getEmbeddableTypeDescriptor()));
            } else if (part instanceof ToOneAttributeMapping reference) {
                columns.addAll(order(reference));
            } else {
                columns.addAll(columns(part));
            }
        }
        return columns;
    }

    private static List<String> order(ToOneAttributeMapping reference) {
        EntityIdentifierMapping target =
                reference.getAssociatedEntityMappingType().getIdentifierMapping();
        List<String> theirs = columns(target);
        List<String> ours = columns(reference.getForeignKeyDescriptor().getKeyPart());
        return order(target).stream()
                .map(column -> ours.get(theirs.indexOf(column)))
                .toList();
    }

    private static List<String> columns(ModelPart part) {
        List<String> columns = new ArrayList<>();
        int unused = part.forEachSelectable((index, column) -> columns.add(column.getSelectionExpression()));
        return columns;
    }

    private static List<@Nullable Instant> read(
            PreparedStatement select, JdbcMapping type, SharedSessionContractImplementor session) throws SQLException {
        List<@Nullable Instant> times = new ArrayList<>();
        try (ResultSet row = select.executeQuery()) {
            while (row.next()) {
                times.add((Instant)
                        type.convertToDomainValue(type.getJdbcValueExtractor().extract(row, 1, session)));
            }
        }
        return times;
    }

    private static List<Instant> withoutNulls(List<@Nullable Instant> times) {
        List<Instant> known = new ArrayList<>();
        for (Instant time : times) {
            if (time != null) {
                known.add(time);
            }
        }
        return known;
    }

    /**
     * How rows are locked, and what is read of them.
     *
     * @param selected their time
     * @param type of what is selected
     * @param strength how others are kept off
     */
    private record Wanted(String selected, JdbcMapping type, String strength) {}

    /** A column of a key, and its value. */
    private record Parameter(JdbcMapping type, Object value) {
        @SuppressWarnings("unchecked") // Hibernate's own value for its own column
        void bind(PreparedStatement statement, int index, SharedSessionContractImplementor session)
                throws SQLException {
            type.getJdbcValueBinder().bind(statement, value, index, session);
        }
    }
}
