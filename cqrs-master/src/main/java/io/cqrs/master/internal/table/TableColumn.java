package io.cqrs.master.internal.table;

import io.cqrs.core.jdbc.TableName;
import io.cqrs.core.rows.ComparedColumn;

/**
 * A column of a master table, and how SQL writes its values as JSON: as Java does, so that it does not matter who reads a
 * row. Expects a session in UTC with ISO dates and ISO 8601 intervals.
 *
 * @param name the column
 * @param type its type in pg_type, a domain's own base
 * @param declared its type for a cast
 * @param keyPosition its place in the primary key, from 1, or 0
 * @param generated whether the database computes it
 */
record TableColumn(String name, String type, String declared, int keyPosition, boolean generated) {

    /** Returns the column of a row. */
    String of(String row) {
        return row + "." + TableName.quote(name);
    }

    ComparedColumn compared() {
        return new ComparedColumn(name, type, declared);
    }

    /** Returns the expression of its value as JSON text, never null. */
    String json(String row) {
        String value = of(row);
        return switch (type) {
            case "int2", "int4", "int8" -> "coalesce(" + value + "::text, 'null')";
            case "timestamptz" -> timestamp(value, "+00:00");
            case "timestamp" -> timestamp(value, "");
            case "time" ->
                "coalesce('\"' || replace(to_char(" + value + ", 'HH24:MI:SS.US'), '.000000', '') || '\"', 'null')";
            case "bytea" -> "coalesce('\"' || replace(encode(" + value + ", 'base64'), E'\\n', '') || '\"', 'null')";
            // Duplicate keys, which json keeps, are no valid message.
            case "json", "jsonb" -> "coalesce(" + value + "::jsonb::text, 'null')";
            case "bpchar" -> "coalesce(to_json(" + value + "::text)::text, 'null')";
            default -> "coalesce(to_json(" + value + ")::text, 'null')";
        };
    }

    private static String timestamp(String value, String offset) {
        return "coalesce(case when isfinite(" + value + ") and " + value
                + " >= '0001-01-01' then '\"' || replace(to_char(" + value
                + ", 'YYYY-MM-DD HH24:MI:SS.US'), '.000000', '') || '" + offset + "\"' else to_json(" + value
                + ")::text end, 'null')";
    }
}
