package io.cqrs.core.jdbc;

import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Names a table; renders itself quoted, so that no name can be anything but a name. Immutable.
 *
 * @param schema the schema, or null for the connection's search path
 * @param table the table
 */
public record TableName(@Nullable String schema, String table) {

    private static final Pattern PART = Pattern.compile("\"((?:[^\"]|\"\")+)\"|([^\".]+)");

    /**
     * Checks the names.
     *
     * @throws IllegalArgumentException if one is empty or holds a NUL
     */
    public TableName {
        requireName(table);
        if (schema != null) {
            requireName(schema);
        }
    }

    /**
     * Parses {@code table} or {@code schema.table}; a part in double quotes may hold dots. Names are taken as they are
     * written, never folded to lower case.
     *
     * @throws IllegalArgumentException if the text has another form
     */
    public static TableName parse(String text) {
        Objects.requireNonNull(text, "text");
        Matcher matcher = PART.matcher(text);
        if (matcher.lookingAt()) {
            String first = part(matcher);
            if (matcher.end() == text.length()) {
                return new TableName(null, first);
            }
            int dot = matcher.end();
            if (text.charAt(dot) == '.'
                    && matcher.region(dot + 1, text.length()).matches()) {
                return new TableName(first, part(matcher));
            }
        }
        throw new IllegalArgumentException(
                "\"" + text + "\" names no table: write table or schema.table, odd names in double quotes");
    }

    /** Quotes an identifier for SQL. */
    public static String quote(String identifier) {
        return '"' + requireName(identifier).replace("\"", "\"\"") + '"';
    }

    /** Returns the quoted name for SQL. */
    public String sql() {
        return schema == null ? quote(table) : quote(schema) + "." + quote(table);
    }

    @Override
    public String toString() {
        return schema == null ? table : schema + "." + table;
    }

    private static String part(Matcher matcher) {
        String quoted = matcher.group(1);
        return quoted == null ? matcher.group(2) : quoted.replace("\"\"", "\"");
    }

    private static String requireName(String name) {
        if (Objects.requireNonNull(name, "name").isEmpty() || name.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("a database identifier is empty or holds a NUL");
        }
        return name;
    }
}
