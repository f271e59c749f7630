/**
 * A gallery of driver bugs: each a few lines of a driver on a simulated machine, what the DMA
 * checker says about it, and its repaired twin.
 *
 * <pre>{@code
 * DmaCheck --for each DriverBug--> BugMachine(faulty)   --> DmaChecker --> count, reports
 *                              '-> BugMachine(repaired) --> DmaChecker --> nothing
 *
 * BugMachine:  SynchronousPort -- DmaDevice -- MailboxDevice (ring, doorbell, status)
 *                                     '------- ForgetfulMapper -- Iommu, where a bug needs one
 * }</pre>
 *
 * <p>Not modelled: interrupts of the device; drivers poll.
 */
@NullMarked
package io.github.bellwire.examples.dmacheck;

import org.jspecify.annotations.NullMarked;
