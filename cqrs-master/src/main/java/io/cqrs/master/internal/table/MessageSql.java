package io.cqrs.master.internal.table;

import io.cqrs.core.jdbc.TableName;
import io.cqrs.master.MasterTable;
import io.cqrs.transport.JsonText;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Expressions that make wire messages of a table's rows; see docs/protocol.md for their form. */
final class MessageSql {

    /** Text of messages as it is in SQL: identifiers and texts come from the declaration, quoted. */
    private final TableModel model;

    MessageSql(TableModel model) {
        this.model = model;
    }

    /** The message of a row, with the old row beside it where there is one. */
    String save(String row, String signal, String previous, Envelope envelope) {
        Concat message = new Concat()
                .text("{\"signal_type\":\"" + signal + "\",\"cqrs_id\":\""
                        + model.declared().cqrsId() + "\",\"instance_data\":");
        data(message, row);
        message.text(",\"previous_data\":").expression(previous);
        return end(message, row, envelope);
    }

    /** A row's data alone, as a dump has it. */
    String data(String row) {
        Concat data = new Concat();
        data(data, row);
        return data.sql();
    }

    private void data(Concat message, String row) {
        message.text("{");
        model.fields()
                .forEach((name, column) -> message.text(jsonName(name) + ":")
                        .expression(column.json(row))
                        .text(","));
        message.text("\"cqrs_revision\":").expression(revision(row));
        message.text(",\"cqrs_updated\":\"").expression(time(updatedOf(row))).text("\"}");
    }

    /**
     * The message of a row's end.
     *
     * @param later whether it is later than the row by its least, or as old as the row, which lives on
     */
    String delete(String row, boolean later, Envelope envelope) {
        Concat message = new Concat()
                .text("{\"signal_type\":\"DELETE\",\"cqrs_id\":\""
                        + model.declared().cqrsId() + "\",\"instance_data\":{\"id\":")
                .expression(key(row));
        message.text(",\"cqrs_revision\":").expression(later ? revision(row) + " + 1" : revision(row));
        message.text(",\"cqrs_updated\":\"")
                .expression(time(later ? updatedOf(row) + " + interval '1 microsecond'" : updatedOf(row)));
        message.text("\"},\"previous_data\":null");
        return end(message, row, envelope);
    }

    private String end(Concat message, String row, Envelope envelope) {
        message.text(",\"instance_pk\":").expression(key(row));
        message.text(",\"correlation_id\":").expression(envelope.correlationId());
        message.text(",\"retries\":0,\"expires\":").expression(envelope.expires());
        return message.text(",\"meta\":null}").sql();
    }

    /** The key as JSON. */
    String key(String row) {
        if (model.key().size() == 1) {
            return model.key().get(0).json(row);
        }
        return "concat('[', " + parts(row, "','") + ", ']')";
    }

    /** The key as the outbox has it, for people. */
    String keyText(String row) {
        return model.key().size() == 1
                ? model.key().get(0).of(row) + "::text"
                : "concat('[', " + parts(row, "', '") + ", ']')";
    }

    private String parts(String row, String separator) {
        return model.key().stream().map(part -> part.json(row)).collect(Collectors.joining(", " + separator + ", "));
    }

    /** What tracked columns were, of a new row: null for each that has a value. */
    String previousOfNew(String row) {
        return previous((name, column) -> "case when " + column.of(row) + " is not null then "
                + Concat.literal("," + jsonName(name) + ":null") + " end");
    }

    /** What tracked columns were, of those that changed; of a row under a new key, as of a new one. */
    String previousOfChanged(String row, String old) {
        String changed = previous((name, column) -> "case when " + column.of(row) + "::text is distinct from "
                + column.of(old) + "::text then concat(" + Concat.literal("," + jsonName(name) + ":") + ", "
                + column.json(old) + ") end");
        return model.declared().tracked().isEmpty()
                ? changed
                : "case when " + isMissing(old) + " then " + previousOfNew(row) + " else " + changed + " end";
    }

    private String previous(Tracked each) {
        if (model.declared().tracked().isEmpty()) {
            return "'null'";
        }
        List<String> parts = new ArrayList<>();
        for (Map.Entry<String, TableColumn> field : model.fields().entrySet()) {
            if (model.declared().tracked().contains(field.getValue().name())) {
                parts.add(each.of(field.getKey(), field.getValue()));
            }
        }
        Concat changed = new Concat();
        parts.forEach(changed::expression);
        return "'{' || ltrim(" + changed.sql() + ", ',') || '}'";
    }

    /** Whether an outer join found no such row. */
    String isMissing(String row) {
        return model.key().get(0).of(row) + " is null";
    }

    /** Whether two rows have the same key. */
    String sameKey(String row, String other) {
        return model.key().stream()
                .map(part -> part.of(row) + " = " + part.of(other))
                .collect(Collectors.joining(" and "));
    }

    String updatedOf(String row) {
        return row + "." + TableName.quote(model.declared().updated());
    }

    /** A row that was never stamped is older than any that was. */
    private String revision(String row) {
        return "coalesce(" + row + "." + TableName.quote(model.declared().revision()) + ", 0)";
    }

    private static String time(String value) {
        return "replace(to_char(coalesce(" + value
                + ", timestamptz 'epoch'), 'YYYY-MM-DD HH24:MI:SS.US'), '.000000', '') || '+00:00'";
    }

    /** When messages that are written now expire, as JSON. */
    static String expires(MasterTable declared) {
        return declared.expiry() == null
                ? "'null'"
                : "'\"' || to_char(clock_timestamp() + interval '"
                        + declared.expiry().toSeconds() + " seconds', 'YYYY-MM-DD\"T\"HH24:MI:SS') || '+00:00\"'";
    }

    private static String jsonName(String name) {
        return JsonText.write(name);
    }

    /**
     * What is the same for all messages of a statement.
     *
     * @param correlationId an expression of JSON text
     * @param expires an expression of JSON text
     */
    record Envelope(String correlationId, String expires) {}

    /** What a tracked field adds to the previous data. */
    private interface Tracked {
        String of(String name, TableColumn column);
    }
}
