package io.cqrs.replica.internal.apply;

import io.cqrs.core.jdbc.TableName;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A table's key in the statements of {@link GuardSql}: {@code m.p0, m.p1, ..} of the changes, {@code k0, k1, ..} of what was
 * written.
 */
final class KeySql {

    private final List<ReplicaColumn> key;

    KeySql(List<ReplicaColumn> key) {
        this.key = key;
    }

    /** As text, made in SQL so that every way into the table spells it the same. */
    String text() {
        if (key.size() == 1) {
            return "(" + part(0) + ")::text";
        }
        return "jsonb_build_array(" + join(this::part) + ")::text";
    }

    /** 1 and 1.00 are the same row. */
    private String part(int i) {
        String part = key.get(i).cast("m.p" + i);
        return key.get(i).type().equals("numeric") ? "trim_scale(" + part + ")" : part;
    }

    String expressions() {
        return join(i -> key.get(i).cast("m.p" + i));
    }

    String names() {
        return join(this::name);
    }

    String equalTo(String alias) {
        return IntStream.range(0, key.size())
                .mapToObj(i -> alias + "." + name(i) + " = " + key.get(i).cast("m.p" + i))
                .collect(Collectors.joining(" and "));
    }

    String returned() {
        return join(i -> "r." + name(i) + " as k" + i);
    }

    String returnedNames() {
        return join(i -> "k" + i);
    }

    /** Returns something of each part, with commas between. */
    String join(IntFunction<String> part) {
        return IntStream.range(0, key.size()).mapToObj(part).collect(Collectors.joining(", "));
    }

    private String name(int i) {
        return TableName.quote(key.get(i).name());
    }
}
