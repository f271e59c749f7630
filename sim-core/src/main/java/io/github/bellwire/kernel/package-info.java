/**
 * Simulated time, the events that happen in it, and the random numbers drawn from one seed.
 *
 * <pre>{@code
 * component --schedule(event, atPs)--> Simulation [ EventQueue: (time, sequence) ]
 *     |  ^                                    |  |
 *     |  +-----------onEvent(nowPs)-----------+  | when a run returns
 *     |                                          v
 *     +---when it looks---settle(nowPs)---> Deferred
 * }</pre>
 *
 * <p>{@link io.github.bellwire.kernel.Deferred} is work that is due at known times without an
 * event, as nobody can tell whether it has been done until somebody looks at its result.
 *
 * <p>{@link io.github.bellwire.kernel.TurnQueue} and {@link io.github.bellwire.kernel.FifoServer}
 * are what stages share that serve one after the other; {@link
 * io.github.bellwire.kernel.Requirements} checks the arguments of everybody.
 *
 * <p>Time is a {@code long} in picoseconds, from 0 to 106.75 days. Not modelled here: anything that
 * takes time by itself; stages that only delay things compute times and need no event.
 */
@NullMarked
package io.github.bellwire.kernel;

import org.jspecify.annotations.NullMarked;
