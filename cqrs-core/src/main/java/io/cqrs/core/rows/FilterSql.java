package io.cqrs.core.rows;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.FieldFilter;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * A filter as an SQL condition. Values are bound as text and cast to their columns' types, never written into it.
 * Immutable.
 *
 * @param condition the condition, with a parameter for each value
 * @param values the values in the order of the parameters, a list for an array
 */
public record FilterSql(String condition, List<Object> values) {

    /**
     * A column that a filter can name.
     *
     * @param sql the expression of its value
     * @param type its type for a cast
     */
    public record Column(String sql, String type) {}

    /**
     * Makes the condition of a filter.
     *
     * @param what whose fields these are, for the error
     * @param columns by name
     * @throws CqrsConfigurationException if the filter names another field
     */
    public static FilterSql of(String what, Map<String, Column> columns, FieldFilter filter) {
        List<String> conditions = new ArrayList<>();
        List<Object> values = new ArrayList<>();
        for (FieldFilter.Condition one : filter.conditions()) {
            Column column = columns.get(one.field());
            if (column == null) {
                throw new CqrsConfigurationException("Bad filter kwargs! " + what + " has no field " + one.field()
                        + ": there are " + sorted(columns.keySet()));
            }
            conditions.add(condition(one, column, values));
        }
        return new FilterSql(conditions.isEmpty() ? "true" : String.join(" and ", conditions), values);
    }

    /** Binds the values and returns the next parameter. */
    public int bind(PreparedStatement statement, int first) throws SQLException {
        int parameter = first;
        for (Object value : values) {
            if (value instanceof List<?> several) {
                statement.setArray(parameter++, statement.getConnection().createArrayOf("text", several.toArray()));
            } else {
                statement.setString(parameter++, (String) value);
            }
        }
        return parameter;
    }

    private static List<String> sorted(Collection<String> names) {
        return names.stream().sorted().toList();
    }

    private static String condition(FieldFilter.Condition one, Column column, List<Object> values) {
        String left = column.sql();
        String cast = "?::" + column.type();
        FieldFilter.Lookup lookup = one.lookup();
        if (lookup == FieldFilter.Lookup.ISNULL) {
            return left + (one.values().get(0).equals(true) ? " is null" : " is not null");
        }
        if (lookup.isText()) {
            values.add(lookup.pattern((String) one.values().get(0)));
            return left + "::text " + (lookup.ignoresCase() ? "ilike ?" : "like ?");
        }
        if (lookup == FieldFilter.Lookup.IN) {
            values.add(one.values().stream().map(Object::toString).toList());
            return left + " = any (?::" + column.type() + "[])";
        }
        one.values().forEach(value -> values.add(value.toString()));
        return switch (lookup) {
            case GT -> left + " > " + cast;
            case GTE -> left + " >= " + cast;
            case LT -> left + " < " + cast;
            case LTE -> left + " <= " + cast;
            case RANGE -> left + " between " + cast + " and " + cast;
            default -> left + " = " + cast;
        };
    }
}
