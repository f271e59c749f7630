/**
 * PCI Express: packets, links, switches, root complex, configuration space, errors and interrupt
 * messages.
 *
 * <pre>{@code
 *          cores             caches, memory          InterruptSink
 *            | mmio               ^                        ^
 *            v                    | pa                     |
 *       +---------------- RootComplex + Translation --------------+
 *       |  RootPort                RootPort             RootPort  |
 *       +-----|-----------------------|--------------------|------+
 * downstream  | PcieLink  upstream    |                    | slot
 *          Endpoint               +-Switch--+           (empty)
 *    ConfigSpace, BARs, MsiX      |SwitchPort|...
 *         DmaPort --> UpstreamPath+---|-----+
 *                                 Endpoint <-- peers, by RequestRoute
 * }</pre>
 *
 * <p>Times are picoseconds, sizes bytes, addresses bus addresses ({@code iova}) before translation
 * and host physical ({@code pa}) after. Every TLP is counted with its size on the wire. Errors go
 * to the registers of Advanced Error Reporting and as messages to the root port.
 *
 * <p>Off unless a {@link PcieLinkConfig} says otherwise: credits, ECRC, completions cut elsewhere
 * than MPS demands or sent in turns, bit errors with replay, and TLPs that are poisoned, corrupted,
 * malformed or lost. Gen 6 links send FLITs. Devices set relaxed ordering and no snoop per access.
 *
 * <p>A device may keep translations of its own (ATS): {@link
 * io.github.bellwire.pcie.TranslatingPort}; and ask for pages (PRI).
 *
 * <p>Not modelled: traffic classes other than 0; multi-function devices; ID-based ordering between
 * the functions behind a switch (its attribute is carried, its freedom not used); order between the
 * writes of different devices behind one switch; credits of the links above a switch; a full replay
 * buffer; faults in what cores read and write; periodic UpdateFC; low-power link states; downstream
 * port containment; atomic operations; marks of translation completions but size, read and write.
 */
@NullMarked
package io.github.bellwire.pcie;

import org.jspecify.annotations.NullMarked;
