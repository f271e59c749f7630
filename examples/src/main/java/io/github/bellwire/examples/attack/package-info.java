/**
 * The attack matrix: what a malicious device can do under each policy of the operating system.
 *
 * <pre>{@code
 * AttackMatrix: rows x modes --> AttackMachine { Host, IOMMU, Attacker, victim } --> Verdict
 *                                  ^ drivers map and unmap, memory is reused         |
 *   ReachAttacks, PageAttacks, LifetimeAttacks, FabricAttacks, ResourceAttacks  -----+
 * }</pre>
 *
 * <p>A verdict comes from bytes in memory, data that the attacker has read, interrupts that were
 * raised, faults that were recorded and times that were measured; never from the mode's name.
 */
@NullMarked
package io.github.bellwire.examples.attack;

import org.jspecify.annotations.NullMarked;
