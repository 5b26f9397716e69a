/** Finds or starts a broker and a database for tests, benchmarks and the demo. */
@NullMarked
package io.cqrs.tools.servers;

import org.jspecify.annotations.NullMarked;
