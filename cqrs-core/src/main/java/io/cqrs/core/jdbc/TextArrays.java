package io.cqrs.core.jdbc;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes PostgreSQL's array literals, for parameters bound as text and cast by their statement: the driver writes its own
 * arrays character by character, at four times the cost. Stateless.
 */
public final class TextArrays {

    private static final int USUAL_LENGTH = 16;

    private TextArrays() {}

    /** Returns a literal of these elements, as in {@code {"a",NULL}}; an element that is a list becomes an inner array. */
    public static String literal(List<?> elements) {
        StringBuilder literal = new StringBuilder(elements.size() * USUAL_LENGTH);
        append(literal, elements);
        return literal.toString();
    }

    private static void append(StringBuilder literal, List<?> elements) {
        String separator = "";
        literal.append('{');
        for (Object element : elements) {
            literal.append(separator);
            separator = ",";
            if (element instanceof List<?> inner) {
                append(literal, inner);
            } else {
                append(literal, element == null ? null : element.toString());
            }
        }
        literal.append('}');
    }

    private static void append(StringBuilder literal, @Nullable String text) {
        if (text == null) {
            literal.append("NULL");
            return;
        }
        boolean plain = text.indexOf('"') < 0 && text.indexOf('\\') < 0;
        literal.append('"')
                .append(plain ? text : text.replace("\\", "\\\\").replace("\"", "\\\""))
                .append('"');
    }
}
