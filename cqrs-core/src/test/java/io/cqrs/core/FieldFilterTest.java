package io.cqrs.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.cqrs.core.FieldFilter.Condition;
import io.cqrs.core.FieldFilter.Lookup;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Filters in Django's way. */
class FieldFilterTest {

    @Test
    void takesFieldsWithLookupsAndWithout() {
        assertThat(only(Map.of("price", 5L))).isEqualTo(new Condition("price", Lookup.EXACT, List.of(5L)));
        assertThat(only(Map.of("price__gt", 5L))).isEqualTo(new Condition("price", Lookup.GT, List.of(5L)));
        assertThat(only(Map.of("a__b__in", List.of("x", "y"))))
                .isEqualTo(new Condition("a__b", Lookup.IN, List.of("x", "y")));
        assertThat(only(Map.of("price__range", List.of(1L, 2L))).values()).containsExactly(1L, 2L);
        assertThat(only(Collections.singletonMap("name", null)))
                .isEqualTo(new Condition("name", Lookup.ISNULL, List.of(true)));
        assertThat(FieldFilter.of(Map.of())).isEqualTo(FieldFilter.all());
    }

    @Test
    void escapesWhatPatternsWouldMean() {
        assertThat(Lookup.CONTAINS.pattern("5%_\\")).isEqualTo("%5\\%\\_\\\\%");
        assertThat(Lookup.STARTSWITH.pattern("a")).isEqualTo("a%");
        assertThat(Lookup.IENDSWITH.pattern("a")).isEqualTo("%a");
        assertThat(Lookup.IEXACT.pattern("a")).isEqualTo("a");
        assertThat(Lookup.IEXACT.ignoresCase()).isTrue();
        assertThat(Lookup.CONTAINS.ignoresCase()).isFalse();
    }

    @Test
    void namesWhatIsWrong() {
        refuses(Map.of("price__most", 1), "price__most names no lookup");
        refuses(Collections.singletonMap("price__gt", null), "price__gt is null");
        refuses(Map.of("price__in", 1), "price__in needs an array");
        refuses(Map.of("price", List.of(1)), "price needs one value");
        refuses(Map.of("price__in", List.of(List.of())), "compares with values only");
        refuses(Map.of("price", Map.of()), "compares with values only");
        refuses(Map.of("price__range", List.of(1)), "needs an array of two");
        refuses(Map.of("price__isnull", 1), "needs true or false");
        refuses(Map.of("price__contains", 1), "needs a text");
    }

    private static Condition only(Map<String, ?> filter) {
        return FieldFilter.of(filter).conditions().get(0);
    }

    private static void refuses(Map<String, ?> filter, String why) {
        assertThatExceptionOfType(CqrsConfigurationException.class)
                .isThrownBy(() -> FieldFilter.of(filter))
                .withMessageStartingWith("Bad filter kwargs! ")
                .withMessageContaining(why);
    }
}
