/**
 * What happened, for whoever listens: the seven steps of a DMA operation, from allocation to unmap.
 *
 * <pre>{@code
 * driver, device --onStep(operationId, step, cause, timePs, ...)--> TraceSink (or nobody)
 * }</pre>
 *
 * <p>A component keeps an optional sink in a final field and tests it for null once per step; when
 * nobody listens nothing else happens. Not modelled: sampling, filtering; a sink may do both.
 */
@NullMarked
package io.github.bellwire.trace;

import org.jspecify.annotations.NullMarked;
