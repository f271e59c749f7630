/**
 * A network card of the 82599 class: its registers, descriptor queues, offloads and interrupts.
 *
 * <pre>{@code
 * wire --> MAC, filters --> RSS --> RX FIFO --> RxPath --payload, write-back--> DmaPort
 *  |                                             ^ ^ descriptors (fetched on demand)
 *  '--FrameStream: plain frames, card at rest----'
 * wire <-- MAC <-- TX FIFO <-- offloads, TSO <-- TxPath <--descriptors, data--- DmaPort
 * registers: Nic --> RegisterFile, NicStatistics, InterruptUnit, NvmUnit, ReceiveSideScaling
 * }</pre>
 *
 * <p>Frames arrive one by one ({@link FrameReceiver}) or, as long as nothing else happens, in a row
 * ({@link FrameStream}): then those that need no more than a descriptor that is on chip take a
 * short way, on which all comes out as on the long one.
 *
 * <p>Frames are Ethernet frames without preamble and FCS; where a size counts the FCS its name or
 * comment says so. Times are picoseconds. Layouts and rules follow the Intel 82599 data sheet. Not
 * modelled: receive side coalescing, header split, flow director, virtualization, data centre
 * bridging, MACsec and IPsec, flow control on the wire, PHY and SFP modules; relaxed ordering
 * chosen per queue and kind of access (CTRL_EXT.RO_DIS is for all); virtual functions, so no reset
 * of one.
 */
@NullMarked
package io.github.bellwire.device.nic;

import org.jspecify.annotations.NullMarked;
