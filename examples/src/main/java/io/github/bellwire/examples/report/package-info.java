/**
 * What a run found out, as text for people and as JSON for programs.
 *
 * <pre>{@code
 * scenario --> Report { metrics, tables, checks, notes } --+--> TextReport
 *              RunInfo { settings, provenance } -----------+--> JsonReport
 * TraceSink <-- LifecyclePrinter --> the seven steps of the first operations
 * }</pre>
 *
 * <p>A metric's name ends in its unit: {@code _gbit_per_s} (10^9 bits), {@code _gbyte_per_s} (10^9
 * bytes), {@code _ns}, {@code _us}, {@code _count}, {@code _bytes}, {@code _ratio}, {@code _per_s}
 * and other {@code _per_} units, after which {@code _p50}, {@code _min} and the like may stand. Not
 * provided: plots, time series, comparison of runs.
 */
@NullMarked
package io.github.bellwire.examples.report;

import org.jspecify.annotations.NullMarked;
