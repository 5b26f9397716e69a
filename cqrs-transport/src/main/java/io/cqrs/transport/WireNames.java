package io.cqrs.transport;

import java.lang.reflect.Field;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Names of fields on the wire. Stateless. */
public final class WireNames {

    private WireNames() {}

    /** Returns a Java property's name the way a Django peer reads it: {@code unitPrice} as {@code unit_price}. */
    public static String snakeCase(String property) {
        StringBuilder name = new StringBuilder(property.length() + 4);
        for (int i = 0; i < property.length(); i++) {
            char c = property.charAt(i);
            if (Character.isUpperCase(c)) {
                boolean afterLower =
                        i > 0 && !Character.isUpperCase(property.charAt(i - 1)) && property.charAt(i - 1) != '_';
                boolean beforeLower =
                        i > 0 && i + 1 < property.length() && Character.isLowerCase(property.charAt(i + 1));
                if ((afterLower || beforeLower) && name.charAt(name.length() - 1) != '_') {
                    name.append('_');
                }
                name.append(Character.toLowerCase(c));
            } else {
                name.append(c);
            }
        }
        return name.toString();
    }

    /**
     * Returns the properties of a class in the order of their declaration, those of its superclasses first: the order of a
     * key's parts on the wire.
     */
    public static List<String> declared(@Nullable Class<?> type) {
        if (type == null) {
            return List.of();
        }
        if (type.isRecord()) {
            return Arrays.stream(type.getRecordComponents())
                    .map(RecordComponent::getName)
                    .toList();
        }
        List<String> names = new ArrayList<>(declared(type.getSuperclass()));
        Arrays.stream(type.getDeclaredFields()).map(Field::getName).forEach(names::add);
        return Collections.unmodifiableList(names);
    }
}
