package io.cqrs.replica.internal.apply;

import io.cqrs.core.Change;
import io.cqrs.transport.WireTime;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * A state as COPY takes it, behind its place. Immutable as long as nobody changes the bytes.
 *
 * @param filled which columns it fills
 * @param text a tab, then its key, columns, time and revision, with tabs between, and a line end
 */
public record StagedState(BitSet filled, byte[] text) {

    static StagedState of(ReplicaTable table, Change state) {
        BitSet filled = TableApplier.filled(table, state);
        StringBuilder text = new StringBuilder(256);
        for (int part = 0; part < table.key().size(); part++) {
            append(text, RowArrays.keyText(state, table.key(), part));
        }
        for (int i = filled.nextSetBit(0); i >= 0; i = filled.nextSetBit(i + 1)) {
            ReplicaColumn column = table.columns().get(i);
            append(text, RowArrays.text(state, column, state.data().get(column.field())));
        }
        append(text, WireTime.format(state.stamp().updated()));
        text.append('\t').append(state.stamp().revision().value()).append('\n');
        return new StagedState(filled, text.toString().getBytes(StandardCharsets.UTF_8));
    }

    /** COPY's text form: a tab ends a value, a backslash says that the next one is no end. */
    private static void append(StringBuilder text, @Nullable String value) {
        text.append('\t');
        if (value == null) {
            text.append("\\N");
        } else if (isPlain(value)) {
            text.append(value);
        } else {
            for (int i = 0; i < value.length(); i++) {
                char c = value.charAt(i);
                switch (c) {
                    case '\\' -> text.append("\\\\");
                    case '\t' -> text.append("\\t");
                    case '\n' -> text.append("\\n");
                    case '\r' -> text.append("\\r");
                    default -> text.append(c);
                }
            }
        }
    }

    private static boolean isPlain(String value) {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c < ' ' || c == '\\') {
                return false;
            }
        }
        return true;
    }
}
