package io.cqrs.core.rows;

import io.cqrs.core.jdbc.TableName;

/**
 * A column as comparisons see it: by the exact value, whatever the types on both sides make of its looks. Expects a
 * session in UTC with ISO dates. Immutable.
 *
 * @param name the column
 * @param type its type in pg_type, as in {@code int8}
 * @param declared its type for a cast
 */
public record ComparedColumn(String name, String type, String declared) {

    /** Longer values are compared by their hash, so that a range of them fits the memory. */
    private static final int LONGEST = 100;

    /** Returns the kind of its values: columns of one kind compare, others don't. */
    public String kind() {
        return switch (type) {
            case "int2", "int4", "int8", "numeric" -> "number";
            case "float4", "float8" -> "float";
            case "bool", "timestamptz", "timestamp", "date", "time", "timetz" -> type;
            case "bytea" -> "bytes";
            case "json", "jsonb" -> "json";
            default -> type.startsWith("_") ? "array of " + element() : "text";
        };
    }

    private String element() {
        return new ComparedColumn(name, type.substring(1), declared).kind();
    }

    /** Returns the column of a row. */
    String of(String row) {
        return row + "." + TableName.quote(name);
    }

    /** Returns the expression of a value that is the same for equal ones, of whatever type, once it is text. */
    String canonical(String row) {
        String value = of(row);
        return switch (kind()) {
            case "number" -> type.equals("numeric") ? "trim_scale(" + value + ")" : value;
            case "bytes" -> measured("encode(" + value + ", 'hex')");
            // JSON's null is no other null to a replica.
            case "json" -> measured("nullif(" + value + "::jsonb, 'null')::text");
            case "text" -> measured(type.equals("text") || type.equals("varchar") ? value : value + "::text");
            case "float" -> number(value);
            // A domain has a number of its own in the binary form, another one in each database.
            case "bool", "date", "time", "timetz", "timestamp", "timestamptz" -> value + "::" + type;
            default -> type.startsWith("_") ? measured("to_jsonb(" + value + ")::text") : value;
        };
    }

    /** Of one width or the other, 1e+06 is a million, and -0 is 0. */
    private static String number(String value) {
        return "case when " + value + " in ('NaN', 'Infinity', '-Infinity') then " + value + "::text else trim_scale("
                + value + "::text::numeric)::text end";
    }

    /** With its length before it, no text can look like two. */
    private static String measured(String text) {
        return "case when octet_length(" + text + ") > " + LONGEST + " then 'h' || md5(" + text + ") else octet_length("
                + text + ") || ':' || " + text + " end";
    }

    /**
     * Returns the hash of many canonical values, null where there are none. The binary form of times, which is the protocol's
     * and does not change, is twice as fast as their text; integers and numerics have different ones. An array of texts would
     * be slow: it looks for quotes in each.
     */
    String digest(String canonical) {
        return switch (kind()) {
            case "number" -> "md5(array_agg(" + canonical + ")::text)";
            case "bool", "date", "time", "timetz", "timestamp", "timestamptz" ->
                "md5(array_send(array_agg(" + canonical + ")))";
            default -> "md5(string_agg(coalesce(" + canonical + ", ''), ','))";
        };
    }

    /** Returns the text of a key's part, given an expression of it: whole, and one that a cast reads. */
    String keyText(String part) {
        return type.equals("numeric") ? "trim_scale(" + part + ")::text" : part + "::text";
    }

    /** Returns the value of a text, given an expression of it; bytes are in base64, as on the wire, or as SQL writes them. */
    String cast(String text) {
        return type.equals("bytea")
                ? "(select case when left(t, 2) = '\\x' then t::bytea else decode(t, 'base64') end from (select " + text
                        + "::text) given(t))"
                : text + "::" + declared;
    }

    /** Says whether every server sorts it alike, whatever its collation. */
    boolean sortsAlike() {
        return switch (kind()) {
            case "number", "float", "bool", "timestamptz", "timestamp", "date", "time", "bytes" -> true;
            default -> type.equals("uuid");
        };
    }

    /** Returns what rows are sorted by, given an expression of the column. */
    static String order(String column, boolean collate) {
        return collate ? "((" + column + "::text) collate \"C\")" : column;
    }

    /** Returns a parameter that compares with the order. */
    String parameter(boolean collate) {
        return collate ? "?::text" : "?::" + declared;
    }
}
