package io.github.bellwire.examples.attack;

import static io.github.bellwire.examples.attack.Word.BLOCKED;
import static io.github.bellwire.examples.attack.Word.NOT_APPLICABLE;
import static io.github.bellwire.examples.attack.Word.PARTIAL;
import static io.github.bellwire.examples.attack.Word.SUCCEEDS;
import static io.github.bellwire.examples.attack.Word.WINDOW;

import io.github.bellwire.device.attacker.InvalidationManners;
import io.github.bellwire.examples.attack.MachineOptions.Feature;
import io.github.bellwire.pcie.AcsLayout;
import java.util.List;
import java.util.function.Function;

/**
 * The documented matrix: what each attack comes to in each mode, off, pass-through, lazy, strict
 * and strict with bounce buffers, in this order.
 */
final class AttackMatrix {
  private static final Word Y = SUCCEEDS;
  private static final Word F = BLOCKED;
  private static final Word W = WINDOW;
  private static final Word P = PARTIAL;
  private static final Word N = NOT_APPLICABLE;

  private static final MachineOptions PLAIN = MachineOptions.PLAIN;
  private static final MachineOptions ATS = PLAIN.with(Feature.DEVICE_TLB);
  private static final MachineOptions REDIRECTED =
      PLAIN.withAccessControl(
          AcsLayout.REQUEST_REDIRECT
              | AcsLayout.COMPLETION_REDIRECT
              | AcsLayout.UPSTREAM_FORWARDING);
  private static final MachineOptions VALIDATED =
      PLAIN.withAccessControl(AcsLayout.SOURCE_VALIDATION);

  private AttackMatrix() {}

  /** {@return all rows, in the order of their identifiers} */
  static List<AttackRow> rows() {
    return List.of(
        row(
            "a01",
            "bare bus master reads and writes memory that nobody has mapped",
            PLAIN,
            List.of(Y, Y, F, F, F),
            ReachAttacks::bareBusMaster),
        row(
            "a01b",
            "the same of a device that no driver has set up",
            PLAIN,
            List.of(Y, F, F, F, F),
            ReachAttacks::withoutContext),
        row(
            "a02a",
            "page mapped for another device, each device with a domain of its own",
            PLAIN,
            List.of(Y, Y, F, F, F),
            ReachAttacks::otherDevicesPage),
        row(
            "a02b",
            "page mapped for another device, one domain for both",
            PLAIN.with(Feature.SHARED_DOMAIN),
            List.of(Y, Y, Y, Y, F),
            ReachAttacks::otherDevicesPage),
        row(
            "a03",
            "receive buffer of half a page, kernel object in the other half",
            PLAIN,
            List.of(Y, Y, Y, Y, F),
            PageAttacks::neighbourInPage),
        row(
            "a04",
            "callback behind the data of a mapped buffer",
            PLAIN,
            List.of(Y, Y, Y, Y, F),
            PageAttacks::callback),
        row(
            "a05",
            "page mapped twice: one mapping removed, the other used",
            PLAIN,
            List.of(Y, Y, Y, Y, F),
            PageAttacks::pageMappedTwice),
        row(
            "a05b",
            "two fragments of a page mapped: one mapping removed, the other used",
            PLAIN,
            List.of(Y, Y, Y, Y, F),
            PageAttacks::fragmentsOfPage),
        row(
            "a06a",
            "page unmapped and reused, translation in the IOTLB",
            PLAIN,
            List.of(Y, Y, W, F, F),
            LifetimeAttacks::reusedPageWarm),
        row(
            "a06b",
            "page unmapped and reused, translation never used",
            PLAIN,
            List.of(Y, Y, F, F, F),
            LifetimeAttacks::reusedPageNotWarmed),
        row(
            "a06c",
            "page unmapped and reused, translation evicted",
            PLAIN,
            List.of(Y, Y, F, F, F),
            LifetimeAttacks::reusedPageEvicted),
        row(
            "a06d",
            "page unmapped and reused, 255 further unmaps",
            PLAIN,
            List.of(Y, Y, W, F, F),
            LifetimeAttacks::reusedPageFullQueue),
        row(
            "a07",
            "completion withheld, so that the mapping stays",
            PLAIN,
            List.of(Y, Y, Y, Y, P),
            PageAttacks::withheldCompletion),
        row(
            "a07b",
            "completion withheld, buffer of a whole page",
            PLAIN,
            List.of(Y, Y, Y, Y, Y),
            PageAttacks::withheldPage),
        row(
            "a08a",
            "address said to be translated, ATS on, no translation blocking",
            ATS,
            List.of(Y, Y, Y, Y, F),
            ReachAttacks::claimedTranslation),
        row(
            "a08b",
            "address said to be translated, ATS on, ACS translation blocking",
            ATS.withAccessControl(AcsLayout.TRANSLATION_BLOCKING),
            List.of(Y, Y, F, F, F),
            ReachAttacks::claimedTranslation),
        row(
            "a08c",
            "address said to be translated, ATS off",
            PLAIN,
            List.of(Y, Y, F, F, F),
            ReachAttacks::claimedTranslation),
        row(
            "a09a",
            "page unmapped and reused, honest device TLB",
            ATS,
            List.of(N, N, W, F, F),
            machine -> LifetimeAttacks.keptTranslation(machine, InvalidationManners.HONEST)),
        row(
            "a09b",
            "device TLB that keeps an invalidated translation and denies it",
            ATS,
            List.of(N, N, Y, Y, F),
            machine -> LifetimeAttacks.keptTranslation(machine, InvalidationManners.KEEPING)),
        row(
            "a09c",
            "device TLB that keeps an invalidated translation and never answers",
            ATS,
            List.of(N, N, Y, Y, F),
            machine -> LifetimeAttacks.keptTranslation(machine, InvalidationManners.SILENT)),
        row(
            "a10a",
            "inside a region that firmware reserves for the device",
            PLAIN.with(Feature.RESERVED_REGION),
            List.of(Y, Y, Y, Y, Y),
            ReachAttacks::insideReservedRegion),
        row(
            "a10b",
            "outside that region",
            PLAIN.with(Feature.RESERVED_REGION),
            List.of(Y, Y, F, F, F),
            ReachAttacks::outsideReservedRegion),
        row(
            "a11a",
            "received data changed between check and use, after unmap",
            PLAIN,
            List.of(Y, Y, W, F, F),
            LifetimeAttacks::changedAfterUnmap),
        row(
            "a11b",
            "received data changed between check and use, still mapped",
            PLAIN,
            List.of(Y, Y, Y, Y, F),
            LifetimeAttacks::changedAfterSync),
        row(
            "a11c",
            "received data changed between check and use, still mapped, whole page",
            PLAIN,
            List.of(Y, Y, Y, Y, Y),
            LifetimeAttacks::changedWholePage),
        row(
            "a12",
            "descriptor in a coherent ring changed between two reads",
            PLAIN,
            List.of(Y, Y, Y, Y, Y),
            LifetimeAttacks::ringReadTwice),
        row(
            "a12b",
            "descriptor in a coherent ring copied once",
            PLAIN,
            List.of(F, F, F, F, F),
            LifetimeAttacks::ringReadOnce),
        row(
            "a13a",
            "write to the window of a peer below the same switch",
            PLAIN,
            List.of(Y, Y, Y, Y, Y),
            FabricAttacks::peerToPeer),
        row(
            "a13b",
            "write to the window of a peer, ACS redirect and upstream forwarding",
            REDIRECTED,
            List.of(Y, Y, F, F, F),
            FabricAttacks::peerToPeer),
        row(
            "a14a",
            "interrupt message forged, no interrupt remapping",
            PLAIN,
            List.of(Y, Y, Y, Y, Y),
            FabricAttacks::forgedInterrupt),
        row(
            "a14b",
            "interrupt message forged, interrupt remapping where there is an IOMMU",
            PLAIN.with(Feature.INTERRUPT_REMAPPING),
            List.of(Y, F, F, F, F),
            FabricAttacks::forgedInterrupt),
        row(
            "a14c",
            "interrupt message forged, interrupt remapping, ATS on",
            ATS.with(Feature.INTERRUPT_REMAPPING),
            List.of(Y, F, F, F, F),
            FabricAttacks::forgedInterrupt),
        row(
            "a15a",
            "requester ID of another device, no source validation",
            PLAIN,
            List.of(Y, Y, Y, Y, Y),
            ReachAttacks::spoofedRequester),
        row(
            "a15b",
            "requester ID of another device, ACS source validation",
            VALIDATED,
            List.of(Y, Y, F, F, F),
            ReachAttacks::spoofedRequester),
        row(
            "a16",
            "boot: the attacker is there before protection",
            PLAIN.with(Feature.LATE_PROTECTION),
            List.of(Y, Y, W, W, W),
            ReachAttacks::bootWindow),
        row(
            "a16b",
            "boot, memory protected by firmware where the IOMMU can do that",
            PLAIN.with(Feature.LATE_PROTECTION).with(Feature.FIRMWARE_PROTECTION),
            List.of(Y, Y, F, F, F),
            ReachAttacks::bootWindow),
        row(
            "a17",
            "command queued, virtual machine destroyed, device reassigned",
            PLAIN,
            List.of(Y, Y, Y, Y, Y),
            machine -> LifetimeAttacks.reassignedDevice(machine, false)),
        row(
            "a17b",
            "the same with a function-level reset in between",
            PLAIN,
            List.of(F, F, F, F, F),
            machine -> LifetimeAttacks.reassignedDevice(machine, true)),
        row(
            "a18",
            "fault storm: more faults than records, so that some are lost",
            PLAIN,
            List.of(N, N, Y, Y, Y),
            ResourceAttacks::faultStorm),
        row(
            "a18b",
            "as many faults as records",
            PLAIN,
            List.of(N, N, F, F, F),
            ResourceAttacks::faultsThatFit),
        row(
            "a19a",
            "short write to a receive buffer, bounce buffer with old data",
            PLAIN,
            List.of(N, N, N, N, F),
            ResourceAttacks::staleBounceBuffer),
        row(
            "a19b",
            "the same without the copy when buffers are mapped",
            PLAIN.with(Feature.NO_COPY_AT_MAP),
            List.of(N, N, N, N, Y),
            ResourceAttacks::staleBounceBuffer),
        row(
            "a20",
            "bounce buffers held until none is left for others",
            PLAIN,
            List.of(N, N, N, N, Y),
            ResourceAttacks::exhaustedBounceBuffers),
        row(
            "a21",
            "mappings never removed until addresses or slots are used up",
            PLAIN,
            List.of(N, N, Y, Y, Y),
            ResourceAttacks::leakedAddresses),
        row(
            "a22",
            "victim's activity seen by evictions from the IOTLB",
            PLAIN,
            List.of(N, N, Y, Y, Y),
            ResourceAttacks::sideChannel));
  }

  private static AttackRow row(
      String id,
      String title,
      MachineOptions options,
      List<Word> expected,
      Function<AttackMachine, Verdict> attack) {
    return new AttackRow(id, title, options, expected, attack);
  }
}
