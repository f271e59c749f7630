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
 * to the registers of Advanced Error Reporting and as messages to the root port. Not modelled:
 * virtual channels, multi-function devices, power states of the link, downstream port containment,
 * credits of a switch's upstream link, order between the writes of different devices behind one
 * switch.
 */
@NullMarked
package io.github.bellwire.pcie;

import org.jspecify.annotations.NullMarked;
