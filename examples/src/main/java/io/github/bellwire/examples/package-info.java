/**
 * The command line program: its entry point and the list of its scenarios.
 *
 * <pre>{@code
 * Main --> cli --> scenario --> the simulated machine
 *           |         |
 *           |         +--> pcap
 *           +--> settings, report
 * }</pre>
 *
 * <p>The resource {@code http-transfer.pcap} is the default input of the receiving scenarios; the
 * note {@code http-transfer.md} beside it says how it was recorded. Units are those of the
 * subpackages. Not modelled here: anything; this package only wires.
 */
@NullMarked
package io.github.bellwire.examples;

import org.jspecify.annotations.NullMarked;
