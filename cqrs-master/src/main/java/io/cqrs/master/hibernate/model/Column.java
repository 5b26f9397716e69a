package io.cqrs.master.hibernate.model;

import java.util.Locale;

/**
 * Where an attribute's value is kept.
 *
 * @param table the table as Hibernate writes it in SQL
 * @param name the column as the catalogue has it
 */
public record Column(String table, String name) {

    /** Takes Hibernate's name of a column: quoted as it is, else folded to lower case as SQL does. */
    static Column of(String table, String written) {
        boolean quoted = written.startsWith("\"") && written.endsWith("\"") && written.length() > 2;
        String name = quoted
                ? written.substring(1, written.length() - 1).replace("\"\"", "\"")
                : written.toLowerCase(Locale.ROOT);
        return new Column(table, name);
    }
}
