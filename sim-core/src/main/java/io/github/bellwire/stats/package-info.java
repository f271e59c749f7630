/**
 * Counters by name, and distributions of times.
 *
 * <pre>{@code
 * component's plain field <--reads-- StatsRegistry <-- report
 * durations --record--> LatencyHistogram --> percentiles
 * }</pre>
 *
 * <p>Times are picoseconds; a counter's name ends in its unit. Not here: rates and series over
 * time.
 */
@NullMarked
package io.github.bellwire.stats;

import org.jspecify.annotations.NullMarked;
