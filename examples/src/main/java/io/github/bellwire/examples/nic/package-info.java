/**
 * The scenarios with network cards, and what they are made of.
 *
 * <pre>{@code
 * FrameSource --> TrafficGenerator --wire--> Nic on a Host <-- NicDriver --> capture, report
 * }</pre>
 *
 * <p>Times are picoseconds, sizes bytes; frame lengths are without FCS unless a name says
 * otherwise.
 */
@NullMarked
package io.github.bellwire.examples.nic;

import org.jspecify.annotations.NullMarked;
