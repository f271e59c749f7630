/**
 * Host software of the striding adapter: one channel per core that fills receive entries with
 * pages, takes completions and gives pages back, as mlx5 of Linux 5.15 to 6.0 does.
 *
 * <pre>{@code
 * message --> StridingChannel --> FrameHandler (stack) --> transmit
 *                  |   ^
 *         RxPages: map, recycle, unmap
 * }</pre>
 *
 * <p>Not modelled: several channels per core, bulk allocation of pages, memory pressure.
 */
@NullMarked
package io.github.bellwire.device.striding.driver;

import org.jspecify.annotations.NullMarked;
