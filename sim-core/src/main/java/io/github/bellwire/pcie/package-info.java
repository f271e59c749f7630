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
 * and host physical ({@code pa}) after. Every TLP is counted with its size on the wire.
 *
 * <p>Off unless a {@link PcieLinkConfig} says otherwise: credits, ECRC, completions cut elsewhere
 * than MPS demands, bit errors with replay, and TLPs that are poisoned, corrupted, malformed or
 * lost. Gen 6 links send FLITs. Devices set relaxed ordering and no snoop per access.
 *
 * <p>Not modelled: traffic classes other than 0; ID-based ordering between the functions behind a
 * switch (its attribute is carried, its freedom not used); credits of the links above a switch; a
 * full replay buffer; faults in what cores read and write; periodic UpdateFC; low-power link
 * states; atomic operations.
 */
@NullMarked
package io.github.bellwire.pcie;

import org.jspecify.annotations.NullMarked;
