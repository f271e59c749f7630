/**
 * Typed keys of a scenario, and the values that a user gives them.
 *
 * <pre>{@code
 * "ring.size=64" --> Settings --> Key<Long> { ValueType: parse, range, format } --> 64
 *                       |
 *                       +--> UserErrorException: one line, nearest known name
 * }</pre>
 *
 * <p>Values are exact: time in picoseconds, sizes in bytes, rates in bits or bytes per second,
 * frequencies in Hz, all {@code long}; a value that is not a whole number of these is refused. Not
 * provided: configuration files, expressions, sweeps.
 */
@NullMarked
package io.github.bellwire.examples.settings;

import org.jspecify.annotations.NullMarked;
