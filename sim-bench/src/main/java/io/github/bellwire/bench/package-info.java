/**
 * Measures what the simulator costs on the host, beside published libraries that do the same work.
 *
 * <pre>{@code
 * BenchmarkReport --forks--> EventQueueBenchmark --> HoldQueue: Bellwire | PriorityQueue | SSJ
 *                 --forks--> RingBenchmark -------> RingTransfer: Bellwire | Agrona | JCTools | ...
 *                 --forks--> NicReceiveBenchmark -> ReceivePath: the whole machine
 * }</pre>
 *
 * <p>Costs are thread CPU time in nanoseconds per operation, never wall-clock time: hosts are
 * shared. Not measured here: the accuracy of any model, and anything that needs two threads.
 */
@NullMarked
package io.github.bellwire.bench;

import org.jspecify.annotations.NullMarked;
