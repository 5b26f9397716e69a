package io.cqrs.master.internal.trigger;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.master.FieldFilter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A filter as an SQL condition. Values are bound as text and cast to their columns' types, never written into it.
 *
 * @param condition the condition, with a parameter for each value
 * @param values the values in the order of the parameters, a list for an array
 */
record FilterSql(String condition, List<Object> values) {

    static FilterSql of(TableModel model, FieldFilter filter, String row) {
        List<String> conditions = new ArrayList<>();
        List<Object> values = new ArrayList<>();
        for (FieldFilter.Condition one : filter.conditions()) {
            conditions.add(condition(one, column(model, one.field()), row, values));
        }
        return new FilterSql(conditions.isEmpty() ? "true" : String.join(" and ", conditions), values);
    }

    private static TableColumn column(TableModel model, String field) {
        Map<String, TableColumn> fields = model.fields();
        TableColumn column = fields.get(field);
        if (column == null) {
            column = fields.values().stream()
                    .filter(one -> one.name().equals(field))
                    .findFirst()
                    .orElseThrow(() -> new CqrsConfigurationException("Bad filter kwargs! "
                            + model.declared().cqrsId() + " has no field " + field + ": there are " + fields.keySet()));
        }
        return column;
    }

    private static String condition(FieldFilter.Condition one, TableColumn column, String row, List<Object> values) {
        String left = column.of(row);
        String cast = "?::" + column.declared();
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
            return left + " = any (?::" + column.declared() + "[])";
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
