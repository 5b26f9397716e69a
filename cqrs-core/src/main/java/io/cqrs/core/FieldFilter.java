package io.cqrs.core;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which rows are meant, in the way of Django's filters: a JSON object of {@code field} or {@code field__lookup} and
 * value, all of which have to be true. {@code {}} means all. Immutable.
 *
 * @param conditions what has to be true
 */
public record FieldFilter(List<Condition> conditions) {

    /** How a field is compared, as Django names it. */
    public enum Lookup {
        /** Equal; null stands for {@code isnull}. */
        EXACT,
        /** Equal to one of an array. */
        IN,
        /** Greater. */
        GT,
        /** Greater or equal. */
        GTE,
        /** Less. */
        LT,
        /** Less or equal. */
        LTE,
        /** Null, or for {@code false} not null. */
        ISNULL,
        /** Between the two values of an array, both included. */
        RANGE,
        /** Holds the text. */
        CONTAINS,
        /** Begins with the text. */
        STARTSWITH,
        /** Ends with the text. */
        ENDSWITH,
        /** Equal but for upper and lower case. */
        IEXACT,
        /** Holds the text but for upper and lower case. */
        ICONTAINS,
        /** Begins with the text but for upper and lower case. */
        ISTARTSWITH,
        /** Ends with the text but for upper and lower case. */
        IENDSWITH;

        /** Says whether it compares text, by a pattern. */
        public boolean isText() {
            return ordinal() >= CONTAINS.ordinal();
        }

        /** Says whether upper and lower case are the same to it. */
        public boolean ignoresCase() {
            return ordinal() >= IEXACT.ordinal();
        }

        /** Returns the pattern of SQL's LIKE for a text, with a backslash for what is meant as it stands. */
        public String pattern(String text) {
            String escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_");
            return switch (this) {
                case CONTAINS, ICONTAINS -> "%" + escaped + "%";
                case STARTSWITH, ISTARTSWITH -> escaped + "%";
                case ENDSWITH, IENDSWITH -> "%" + escaped;
                default -> escaped;
            };
        }
    }

    /**
     * A condition on a field.
     *
     * @param field its name
     * @param lookup how it is compared
     * @param values with what: one, for {@code IN} any number, for {@code RANGE} two
     */
    public record Condition(String field, Lookup lookup, List<Object> values) {

        /** Copies the values. */
        public Condition {
            values = List.copyOf(values);
        }
    }

    /** Copies the conditions. */
    public FieldFilter {
        conditions = List.copyOf(conditions);
    }

    /** Means all rows. */
    public static FieldFilter all() {
        return new FieldFilter(List.of());
    }

    /**
     * Returns the filter of {@code field} or {@code field__lookup} and value.
     *
     * @throws CqrsConfigurationException if a lookup or its value is wrong, naming it
     */
    public static FieldFilter of(Map<String, ?> fields) {
        List<Condition> conditions = new ArrayList<>();
        fields.forEach((name, operand) -> conditions.add(condition(name, operand)));
        return new FieldFilter(conditions);
    }

    private static Condition condition(String name, @Nullable Object operand) {
        int at = name.lastIndexOf("__");
        String field = at < 0 ? name : name.substring(0, at);
        Lookup lookup = at < 0 ? Lookup.EXACT : lookup(name, name.substring(at + 2));
        if (operand == null) {
            if (lookup == Lookup.EXACT) {
                return new Condition(field, Lookup.ISNULL, List.of(true));
            }
            throw wrong(name + " is null", null);
        }
        boolean several = lookup == Lookup.IN || lookup == Lookup.RANGE;
        if (several != operand instanceof List) {
            throw wrong(name + (several ? " needs an array" : " needs one value, no array"), null);
        }
        List<Object> values = new ArrayList<>();
        for (Object one : several ? (List<?>) operand : List.of(operand)) {
            if (one == null || one instanceof Map || one instanceof List) {
                throw wrong(name + " compares with values only", null);
            }
            values.add(one);
        }
        check(name, lookup, values);
        return new Condition(field, lookup, values);
    }

    private static void check(String name, Lookup lookup, List<Object> values) {
        if (lookup == Lookup.RANGE && values.size() != 2) {
            throw wrong(name + " needs an array of two", null);
        }
        if (lookup == Lookup.ISNULL && !(values.get(0) instanceof Boolean)) {
            throw wrong(name + " needs true or false", null);
        }
        if (lookup.isText() && !(values.get(0) instanceof String)) {
            throw wrong(name + " needs a text", null);
        }
    }

    private static Lookup lookup(String name, String lookup) {
        try {
            return Lookup.valueOf(lookup.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw wrong(
                    name + " names no lookup: there are "
                            + Arrays.toString(Lookup.values()).toLowerCase(Locale.ROOT),
                    e);
        }
    }

    private static CqrsConfigurationException wrong(String what, @Nullable Throwable cause) {
        String text = "Bad filter kwargs! " + what;
        return cause == null ? new CqrsConfigurationException(text) : new CqrsConfigurationException(text, cause);
    }
}
