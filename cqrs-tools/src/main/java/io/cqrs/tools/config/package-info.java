/** Configuration from cqrs.yaml, the environment and options. */
@NullMarked
package io.cqrs.tools.config;

import org.jspecify.annotations.NullMarked;
