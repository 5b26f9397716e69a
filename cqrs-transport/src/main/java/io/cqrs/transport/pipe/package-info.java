/** What the commands' pipes carry between services, a line each: dumps, keys and revisions, ranges and their hashes. */
@NullMarked
package io.cqrs.transport.pipe;

import org.jspecify.annotations.NullMarked;
