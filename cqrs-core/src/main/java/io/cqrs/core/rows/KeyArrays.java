package io.cqrs.core.rows;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.jdbc.TableName;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Keys as parameters of a statement: an array of text a part, cast to the columns' types. Immutable.
 *
 * @param columns the key's columns, in the order of its parts
 */
public record KeyArrays(List<ComparedColumn> columns) {

    /** Copies the columns. */
    public KeyArrays {
        columns = List.copyOf(columns);
    }

    /** Returns the keys as rows {@code k(p0, .., ord)}, with more columns between, each from an array of text. */
    public String rows(String... more) {
        String parts =
                IntStream.range(0, columns.size()).mapToObj(i -> "p" + i + ", ").collect(Collectors.joining());
        String others = List.of(more).stream().map(name -> name + ", ").collect(Collectors.joining());
        String arrays = IntStream.range(0, columns.size() + more.length)
                .mapToObj(i -> "?::text[]")
                .collect(Collectors.joining(", "));
        return "unnest(" + arrays + ") with ordinality k(" + parts + others + "ord)";
    }

    /** Returns the key of such a row. */
    public String values() {
        return IntStream.range(0, columns.size()).mapToObj(this::value).collect(Collectors.joining(", "));
    }

    private String value(int part) {
        return columns.get(part).cast("k.p" + part);
    }

    /** Returns the key of such a row, each part called as its column. */
    public String named() {
        return IntStream.range(0, columns.size())
                .mapToObj(
                        i -> value(i) + " as " + TableName.quote(columns.get(i).name()))
                .collect(Collectors.joining(", "));
    }

    /** Returns the key of a row of the table. */
    public String of(String row) {
        return columns.stream().map(column -> column.of(row)).collect(Collectors.joining(", "));
    }

    /** Means the rows of the table behind a key, by a parameter for each of its parts. */
    public String behind(String row) {
        return "(" + of(row) + ") > (" + parameters() + ")";
    }

    /** Means the rows of the table up to a key and with it, by a parameter for each of its parts. */
    public String upTo(String row) {
        return "(" + of(row) + ") <= (" + parameters() + ")";
    }

    private String parameters() {
        return columns.stream().map(column -> column.cast("?")).collect(Collectors.joining(", "));
    }

    /** Means the rows of the table with these keys. */
    public FilterSql in(List<List<String>> keys, String row) {
        return new FilterSql("(" + of(row) + ") in (select " + values() + " from " + rows() + ")", arrays(keys));
    }

    /**
     * Returns the arrays to bind.
     *
     * @param keys the texts of their parts
     * @throws CqrsConfigurationException if a key has another number of parts
     */
    public List<Object> arrays(List<List<String>> keys) {
        List<Object> arrays = new ArrayList<>();
        for (int i = 0; i < columns.size(); i++) {
            List<String> parts = new ArrayList<>(keys.size());
            for (List<String> key : keys) {
                if (key.size() != columns.size()) {
                    throw new CqrsConfigurationException(
                            "a key has " + key.size() + " part(s), the table's has " + columns.size());
                }
                parts.add(key.get(i));
            }
            arrays.add(parts);
        }
        return arrays;
    }
}
