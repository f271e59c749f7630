/**
 * PCI Express: packets, links, root complex, configuration space and interrupt messages.
 *
 * <pre>{@code
 *          cores             caches, memory          InterruptSink
 *            | mmio               ^                        ^
 *            v                    | pa                     |
 *       +---------------- RootComplex + Translation --------------+
 *       |  RootPort                                    RootPort   |
 *       +-----|-------------------------------------------|-------+
 * downstream  | LinkDirection     upstream                ...
 *            Endpoint: ConfigSpace, BARs, MsiX --DmaPort--^
 * }</pre>
 *
 * <p>Times are picoseconds, sizes bytes, addresses bus addresses ({@code iova}) before translation
 * and host physical ({@code pa}) after. Every TLP is counted with its size on the wire. Not
 * modelled yet: flow-control credits, replay, relaxed ordering, switches, peer-to-peer, error
 * reporting.
 */
@NullMarked
package io.github.bellwire.pcie;

import org.jspecify.annotations.NullMarked;
