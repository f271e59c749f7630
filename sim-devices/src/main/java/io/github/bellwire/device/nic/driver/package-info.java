/**
 * Host software for the 82599-class NIC, written as a driver for the real part would be: against
 * cores, the DMA API and the register and descriptor layouts, never against the device model.
 *
 * <pre>{@code
 *            POLL              INTERRUPT            NAPI
 *      PollingReceiver    InterruptReceiver    NapiReceiver      routines on a core
 *               \                 |                 /
 *                '--------> RxRing.receive --------'
 *                                 |
 *                      FrameHandler.onFrame(ReceivedFrame)       keeps the buffer, or not
 *                                 |
 *                      TxRing.trySend, flush, clean
 *                                 |
 * NicDriver.start: registers, rings ---- BufferPool, DmaDevice ---- memory
 *        |
 *       BAR0
 * }</pre>
 *
 * <p>A receive ring owns its buffers from refill to delivery and again from the handler's return
 * on, unless the handler detached them; a transmit ring owns what it accepted until it cleans.
 * Descriptors hold bus addresses ({@code iova}), software uses host addresses ({@code pa}). While
 * the pool is empty, receivers look for buffers each microsecond.
 *
 * <p>Times are picoseconds, lengths bytes, costs of software core cycles ({@link
 * io.github.bellwire.device.nic.driver.DriverProfile}). Not modelled: flow control, VLAN filters,
 * receive-side coalescing, header split, power management, PHY and EEPROM set-up.
 */
@NullMarked
package io.github.bellwire.device.nic.driver;

import org.jspecify.annotations.NullMarked;
