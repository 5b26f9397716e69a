/** A shop with two services: a catalogue that owns products, and a storefront that keeps copies of them. */
@NullMarked
package io.cqrs.examples.shop;

import org.jspecify.annotations.NullMarked;
