package io.cqrs.master.hibernate;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.FieldFilter;
import io.cqrs.core.FieldFilter.Condition;
import io.cqrs.core.FieldFilter.Lookup;
import io.cqrs.master.MasterTable;
import io.cqrs.master.hibernate.model.MasterField;
import io.cqrs.master.hibernate.model.MasterModel;
import io.cqrs.transport.WireNames;
import io.cqrs.transport.WireTime;
import jakarta.persistence.criteria.CriteriaBuilder;
import jakarta.persistence.criteria.Expression;
import jakarta.persistence.criteria.Path;
import jakarta.persistence.criteria.Predicate;
import jakarta.persistence.criteria.Root;
import jakarta.persistence.metamodel.EntityType;
import jakarta.persistence.metamodel.ManagedType;
import jakarta.persistence.metamodel.SingularAttribute;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import org.hibernate.engine.spi.SessionFactoryImplementor;
import org.jspecify.annotations.Nullable;

/** {@link FieldFilter}s as criteria: fields by their names on the wire or in Java, attributes of embeddables by a path. */
final class FilterPredicates {

    /** Of sixteen in base64, as a UUID is sent that is kept as bytes. */
    private static final String BYTES_END = "==";

    private static final int UUID_BYTES = 16;

    private final SessionFactoryImplementor factory;
    private final MasterModel model;

    FilterPredicates(SessionFactoryImplementor factory, MasterModel model) {
        this.factory = factory;
        this.model = model;
    }

    List<Predicate> predicates(Root<?> root, CriteriaBuilder builder, FieldFilter filter) {
        return filter.conditions().stream()
                .map(one -> predicate(path(root, one.field()), builder, one))
                .toList();
    }

    private Predicate predicate(Path<?> path, CriteriaBuilder builder, Condition one) {
        Lookup lookup = one.lookup();
        if (lookup == Lookup.ISNULL) {
            return one.values().get(0).equals(true) ? builder.isNull(path) : builder.isNotNull(path);
        }
        if (lookup.isText()) {
            return like(path.as(String.class), builder, one);
        }
        List<Object> values =
                one.values().stream().map(value -> convert(path, one, value)).toList();
        return switch (lookup) {
            case EXACT -> builder.equal(path, values.get(0));
            case IN -> values.isEmpty() ? builder.disjunction() : path.in(values);
            default -> compared(comparable(path), builder, lookup, values);
        };
    }

    private static Predicate like(Expression<String> text, CriteriaBuilder builder, Condition one) {
        String pattern = one.lookup().pattern((String) one.values().get(0));
        return one.lookup().ignoresCase()
                ? builder.like(builder.lower(text), pattern.toLowerCase(Locale.ROOT), '\\')
                : builder.like(text, pattern, '\\');
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // values were made of the attribute's own type
    private static Predicate compared(Expression path, CriteriaBuilder builder, Lookup lookup, List<Object> values) {
        Comparable first = (Comparable) values.get(0);
        return switch (lookup) {
            case GT -> builder.greaterThan(path, first);
            case GTE -> builder.greaterThanOrEqualTo(path, first);
            case LT -> builder.lessThan(path, first);
            case LTE -> builder.lessThanOrEqualTo(path, first);
            case RANGE -> builder.between(path, first, (Comparable) values.get(1));
            default -> throw new IllegalStateException("no comparison: " + lookup);
        };
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // checked by the database at the latest
    private static Expression<Comparable> comparable(Path<?> path) {
        return (Expression<Comparable>) path;
    }

    private Path<?> path(Root<?> root, String field) {
        EntityType<?> type = factory.getMetamodel().entity(model.type());
        SortedMap<String, String> sent = sent(type);
        // What is none of the wire's may be a name in Java.
        @Nullable Path<?> path = path(root, type, sent.getOrDefault(field, field));
        if (path == null) {
            throw new CqrsConfigurationException(
                    "Bad filter kwargs! " + model.cqrsId() + " has no field " + field + ": there are " + sent.keySet());
        }
        return path;
    }

    /** Returns where in Java the fields of the wire are, but for collections. */
    private SortedMap<String, String> sent(EntityType<?> type) {
        SortedMap<String, String> paths = new TreeMap<>();
        model.fields().stream()
                .flatMap(field -> field.singles().stream())
                .filter(single -> !single.collection())
                .forEach(single -> paths.put(single.name(), single.path()));
        // On the wire the parts of an embedded id are fields of the row.
        String before = model.key().part() instanceof MasterField.Single || !type.hasSingleIdAttribute()
                ? ""
                : type.getId(type.getIdType().getJavaType()).getName() + ".";
        model.key().parts().forEach(part -> paths.put(part.name(), before + part.path()));
        paths.put(MasterTable.REVISION, model.revision().property());
        paths.put(MasterTable.UPDATED, model.updated().property());
        return paths;
    }

    private @Nullable Path<?> path(Path<?> at, ManagedType<?> type, String field) {
        String[] steps = field.split("\\.", 2);
        for (SingularAttribute<?, ?> attribute : type.getSingularAttributes()) {
            String name = attribute.getName();
            String wire = WireNames.snakeCase(name);
            if (name.equals(steps[0]) || wire.equals(steps[0])) {
                return steps.length == 1 ? end(at.get(name), attribute) : within(at, attribute, steps[1]);
            }
            // On the wire an embeddable's attributes have its name before theirs.
            if (field.startsWith(wire + "_")) {
                @Nullable Path<?> inner = within(at, attribute, field.substring(wire.length() + 1));
                if (inner != null) {
                    return inner;
                }
            }
        }
        return null;
    }

    private @Nullable Path<?> within(Path<?> at, SingularAttribute<?, ?> attribute, String field) {
        return attribute.getType() instanceof ManagedType<?> type && !(type instanceof EntityType<?>)
                ? path(at.get(attribute.getName()), type, field)
                : null;
    }

    private static Path<?> end(Path<?> at, SingularAttribute<?, ?> attribute) {
        return attribute.getType() instanceof EntityType<?> entity
                ? at.get(entity.getId(entity.getIdType().getJavaType()).getName())
                : at;
    }

    private Object convert(Path<?> path, Condition one, Object value) {
        try {
            return convert(factory, path.getJavaType(), value.toString());
        } catch (RuntimeException e) {
            throw new CqrsConfigurationException(
                    "Bad filter kwargs! " + one.field() + " is a "
                            + path.getJavaType().getSimpleName() + ", which \"" + value + "\" is not",
                    e);
        }
    }

    /** Makes an attribute's value of its text. */
    static Object convert(SessionFactoryImplementor factory, Class<?> type, String text) {
        if (type == Instant.class) {
            return WireTime.parse(text);
        }
        if (type == OffsetDateTime.class) {
            return WireTime.parse(text).atOffset(ZoneOffset.UTC);
        }
        if (type == ZonedDateTime.class) {
            return WireTime.parse(text).atZone(ZoneOffset.UTC);
        }
        if (type == LocalDateTime.class) {
            return LocalDateTime.ofInstant(WireTime.parse(text), ZoneOffset.UTC);
        }
        if (type == UUID.class && text.endsWith(BYTES_END)) {
            byte[] bytes = Base64.getDecoder().decode(text);
            if (bytes.length != UUID_BYTES) {
                throw new IllegalArgumentException(text);
            }
            ByteBuffer halves = ByteBuffer.wrap(bytes);
            return new UUID(halves.getLong(), halves.getLong());
        }
        if (type.isEnum() && text.matches("\\d+")) {
            return type.getEnumConstants()[Integer.parseInt(text)];
        }
        if (type == Boolean.class || type == boolean.class) {
            return truth(text);
        }
        return factory.getTypeConfiguration()
                .getJavaTypeRegistry()
                .getDescriptor(type)
                .fromString(text);
    }

    /** Python's 1 and 0 are true and false, too. */
    private static boolean truth(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "true", "1" -> true;
            case "false", "0" -> false;
            default -> throw new IllegalArgumentException(text);
        };
    }
}
