package io.cqrs.transport;

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
}
