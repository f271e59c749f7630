/**
 * Scenarios about address translation: what it costs under load.
 *
 * <pre>{@code
 * Senders --> wire --> StridingNic --> memory <-- StridingChannel --> StreamReceiver
 *    ^                                                                     |
 *    '------------------------- acknowledgements <-------------------------'
 * }</pre>
 */
@NullMarked
package io.github.bellwire.examples.iommu;

import org.jspecify.annotations.NullMarked;
