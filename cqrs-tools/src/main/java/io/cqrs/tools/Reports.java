package io.cqrs.tools;

import io.cqrs.master.DiffReport;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What was found, as JSON and as text. Stateless. */
final class Reports {

    private Reports() {}

    static Map<String, @Nullable Object> fields(DiffReport report) {
        Map<String, @Nullable Object> fields = new LinkedHashMap<>();
        fields.put("cqrs_id", report.cqrsId().value());
        fields.put("queue", report.queue());
        fields.put("at", report.at().toString());
        fields.put("missing", report.missing());
        fields.put("stale", report.stale());
        fields.put("ahead", report.ahead());
        fields.put("drifted", report.drifted());
        fields.put("surplus", report.surplus());
        fields.put("sent", report.sent());
        fields.put("deleted", report.deleted());
        return fields;
    }

    static String list(@Nullable Object several) {
        if (!(several instanceof List<?> list) || list.isEmpty()) {
            return "none";
        }
        return list.stream().map(String::valueOf).collect(Collectors.joining(", "));
    }
}
