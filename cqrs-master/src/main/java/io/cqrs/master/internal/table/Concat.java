package io.cqrs.master.internal.table;

import java.util.ArrayList;
import java.util.List;

/** Puts texts and expressions together to one SQL expression. Not thread-safe. */
final class Concat {

    /** PostgreSQL passes a function a hundred arguments at most. */
    private static final int MOST_ARGUMENTS = 90;

    private final List<String> parts = new ArrayList<>();
    private final StringBuilder text = new StringBuilder();

    Concat text(String more) {
        text.append(more);
        return this;
    }

    Concat expression(String sql) {
        endText();
        parts.add(sql);
        return this;
    }

    String sql() {
        endText();
        List<String> groups = parts;
        while (groups.size() > 1 || groups == parts) {
            List<String> fewer = new ArrayList<>();
            for (int from = 0; from < groups.size(); from += MOST_ARGUMENTS) {
                fewer.add("concat("
                        + String.join(", ", groups.subList(from, Math.min(from + MOST_ARGUMENTS, groups.size())))
                        + ")");
            }
            groups = fewer;
        }
        return groups.get(0);
    }

    private void endText() {
        if (text.length() > 0) {
            parts.add(literal(text.toString()));
            text.setLength(0);
        }
    }

    static String literal(String text) {
        return "'" + text.replace("'", "''") + "'";
    }
}
