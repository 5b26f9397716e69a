package io.cqrs.benchmarks;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Locale;

/** Renders comparisons as JSON lines and as a table. */
final class Report {

    private Report() {}

    static String jsonLine(Comparison comparison) throws JsonProcessingException {
        JsonMapper mapper = new JsonMapper();
        ObjectNode node = mapper.createObjectNode();
        node.put("measure", comparison.measure().name());
        node.put("value", comparison.value());
        node.put("floor", comparison.floor());
        node.put("ratio", comparison.ratio());
        node.put("unit", comparison.measure().unit());
        node.put("rounds", comparison.values().size());
        node.put("ratio_least", Comparison.least(comparison.ratios()));
        node.put("ratio_most", Comparison.most(comparison.ratios()));
        comparison.measure().conditions().forEach(node.putArray("conditions")::add);
        return mapper.writeValueAsString(node);
    }

    static String table(List<Comparison> comparisons) {
        StringBuilder table = new StringBuilder();
        line(table, "measure", "value", "floor", "ratio", "least..most", "unit");
        for (Comparison one : comparisons) {
            line(
                    table,
                    one.measure().name(),
                    number(one.value()),
                    number(one.floor()),
                    String.format(Locale.ROOT, "%.2f", one.ratio()),
                    String.format(
                            Locale.ROOT, "%.2f..%.2f", Comparison.least(one.ratios()), Comparison.most(one.ratios())),
                    one.measure().unit());
            table.append("  ")
                    .append(String.join(", ", one.measure().conditions()))
                    .append('\n');
        }
        return table.toString();
    }

    private static String number(double figure) {
        return String.format(Locale.ROOT, "%,.0f", figure);
    }

    private static void line(StringBuilder table, Object... cells) {
        table.append(String.format(Locale.ROOT, "%-22s%12s%12s%8s%14s  %s%n", cells));
    }
}
