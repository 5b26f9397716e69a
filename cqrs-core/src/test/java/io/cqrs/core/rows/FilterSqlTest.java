package io.cqrs.core.rows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.cqrs.core.CqrsConfigurationException;
import io.cqrs.core.FieldFilter;
import io.cqrs.core.SerializationException;
import io.cqrs.core.jdbc.TableName;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Filters as conditions: values are parameters, never text. */
class FilterSqlTest {

    private static final Map<String, FilterSql.Column> COLUMNS =
            Map.of("price", new FilterSql.Column("n.\"price\"", "numeric"));

    @Test
    void bindsEachValue() {
        String value = "'; drop table x";
        assertThat(sql("price", value)).isEqualTo(new FilterSql("n.\"price\" = ?::numeric", List.of(value)));
        assertThat(sql("price__gte", value).condition()).isEqualTo("n.\"price\" >= ?::numeric");
        assertThat(sql("price__gt", 1).condition()).isEqualTo("n.\"price\" > ?::numeric");
        assertThat(sql("price__lt", 1).condition()).isEqualTo("n.\"price\" < ?::numeric");
        assertThat(sql("price__lte", 1).condition()).isEqualTo("n.\"price\" <= ?::numeric");
        assertThat(sql("price__isnull", true).condition()).isEqualTo("n.\"price\" is null");
        assertThat(sql("price__isnull", false).condition()).isEqualTo("n.\"price\" is not null");
        assertThat(sql("price__in", List.of(1, value)))
                .isEqualTo(new FilterSql("n.\"price\" = any (?::numeric[])", List.of(List.of("1", value))));
        assertThat(sql("price__range", List.of(1, 2)))
                .isEqualTo(new FilterSql("n.\"price\" between ?::numeric and ?::numeric", List.of("1", "2")));
        assertThat(sql("price__icontains", "a%"))
                .isEqualTo(new FilterSql("n.\"price\"::text ilike ?", List.of("%a\\%%")));
        assertThat(FilterSql.of("item", COLUMNS, FieldFilter.all()).condition()).isEqualTo("true");
    }

    @Test
    void namesAFieldThatIsNotThere() {
        assertThatExceptionOfType(CqrsConfigurationException.class)
                .isThrownBy(() -> sql("cost", 1))
                .withMessage("Bad filter kwargs! item has no field cost: there are [price]");
    }

    @Test
    void refusesKeysOfAnotherNumberOfParts() {
        KeyArrays keys = new KeyArrays(List.of(new ComparedColumn("a", "int4", "integer")));
        assertThat(keys.in(List.of(List.of("1"), List.of("2")), "n"))
                .isEqualTo(new FilterSql(
                        "(n.\"a\") in (select k.p0::integer from unnest(?::text[]) with ordinality k(p0, ord))",
                        List.of(List.of("1", "2"))));
        assertThatExceptionOfType(CqrsConfigurationException.class)
                .isThrownBy(() -> keys.arrays(List.of(List.of("1", "2"))))
                .withMessageContaining("2 part(s)");
    }

    @Test
    void tellsKindsOfColumns() {
        assertThat(kinds(
                        "int2",
                        "numeric",
                        "float8",
                        "varchar",
                        "uuid",
                        "jsonb",
                        "bytea",
                        "_text",
                        "timestamptz",
                        "bool"))
                .containsExactly(
                        "number",
                        "number",
                        "float",
                        "text",
                        "text",
                        "json",
                        "bytes",
                        "array of text",
                        "timestamptz",
                        "bool");
        assertThat(new ComparedColumn("a", "uuid", "uuid").sortsAlike()).isTrue();
        assertThat(new ComparedColumn("a", "text", "text").sortsAlike()).isFalse();
    }

    @Test
    void writesEqualValuesAlike() {
        assertThat(canonical("int8")).isEqualTo("n.\"a\"");
        assertThat(canonical("numeric")).isEqualTo("trim_scale(n.\"a\")");
        assertThat(canonical("timestamptz")).isEqualTo("n.\"a\"::timestamptz");
        assertThat(canonical("bytea")).contains("encode(n.\"a\", 'hex')");
        assertThat(canonical("json")).contains("nullif(n.\"a\"::jsonb, 'null')::text");
        assertThat(canonical("_int4")).contains("to_jsonb(n.\"a\")::text");
        assertThat(canonical("uuid")).contains("n.\"a\"::text");
        assertThat(canonical("text")).doesNotContain("n.\"a\"::text");
        assertThat(new ComparedColumn("a", "int4", "int4").digest("x")).isEqualTo("md5(array_agg(x)::text)");
        assertThat(new ComparedColumn("a", "text", "text").digest("x")).startsWith("md5(string_agg(");
    }

    @Test
    void comparesSomeFieldsOfATableInTheirOrder() {
        ComparedColumn column = new ComparedColumn("a", "text", "text");
        ComparedTable table = new ComparedTable(
                new TableName(null, "t"), "true", List.of(column), "rev", "upd", Map.of("x", column, "y", column));
        assertThat(table.withFields(List.of("y", "x")).fields().keySet()).containsExactly("y", "x");
        assertThatExceptionOfType(SerializationException.class)
                .isThrownBy(() -> table.withFields(List.of("z")))
                .withMessageContaining("no field z");
    }

    private static String canonical(String type) {
        return new ComparedColumn("a", type, type).canonical("n");
    }

    private static List<String> kinds(String... types) {
        return List.of(types).stream()
                .map(type -> new ComparedColumn("a", type, type).kind())
                .toList();
    }

    private static FilterSql sql(String field, Object value) {
        return FilterSql.of("item", COLUMNS, FieldFilter.of(Map.of(field, value)));
    }
}
