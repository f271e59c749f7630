/**
 * A malicious bus master: an endpoint that does with its way to memory whatever that lets it do.
 *
 * <pre>{@code
 * driver --mmio--> [ BAR 0: memory of its own ] <--peers
 *                       |
 *   AttackPort: reads, writes, messages; under other IDs, claiming translated addresses
 *   TranslationHoard: asks by ATS, keeps what it should forget
 *   DelayedWrites: later, when somebody has looked      --DmaPort--> link, host
 *   FaultStorm: one refused request after the other
 *   TimingProbe: how long a read takes
 * }</pre>
 *
 * <p>Times are picoseconds, sizes bytes. Everything goes through the {@link
 * io.github.bellwire.pcie.DmaPort} of the slot; nothing reaches around it. Not modelled: a device
 * that breaks the rules of the link itself, by wrong lengths or byte enables.
 */
@NullMarked
package io.github.bellwire.device.attacker;

import org.jspecify.annotations.NullMarked;
