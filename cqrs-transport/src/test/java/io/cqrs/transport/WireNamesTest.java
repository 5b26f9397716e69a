package io.cqrs.transport;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WireNamesTest {

    @ParameterizedTest
    @CsvSource({
        "price,price",
        "unitPrice,unit_price",
        "URL,url",
        "baseURL,base_url",
        "URLBase,url_base",
        "a1B,a1_b",
        "already_snake,already_snake"
    })
    void readsAsAPythonName(String property, String expected) {
        assertThat(WireNames.snakeCase(property)).isEqualTo(expected);
    }
}
