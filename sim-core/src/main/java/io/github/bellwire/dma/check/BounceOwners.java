package io.github.bellwire.dma.check;

import io.github.bellwire.dma.BounceBufferPool;
import io.github.bellwire.dma.DmaDevice;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Who holds the bounce slots of a machine, for the moment when there are none left. */
final class BounceOwners {
  private static final int OWNERS_SHOWN = 3;

  private BounceOwners() {}

  static String describe(CheckerState state, DmaDevice device, int lengthBytes) {
    BounceBufferPool pool = device.bounceBuffers();
    if (pool == null) {
      return "the machine has no bounce slots";
    }
    String occupancy =
        String.format(
            "%d bytes (%d slots) asked for, %d of %d slots used",
            lengthBytes, slots(0, lengthBytes), pool.slotsUsed(), pool.slotCount());
    List<Map.Entry<String, Long>> owners = owners(state);
    return owners.isEmpty() ? occupancy : occupancy + "; most are held by " + text(owners);
  }

  /** Returns how many slots each place in the code holds, the most first. */
  private static List<Map.Entry<String, Long>> owners(CheckerState state) {
    Map<String, Long> held = new LinkedHashMap<>();
    for (DeviceShadow device : state.devices) {
      for (ShadowMapping mapping : device.live()) {
        if (mapping.bouncePa >= 0) {
          String owner = device.name() + " in " + mapping.madeBy.code();
          held.merge(owner, slots(mapping.bouncePa, mapping.lengthBytes), Long::sum);
        }
      }
    }
    List<Map.Entry<String, Long>> owners = new ArrayList<>(held.entrySet());
    owners.sort(Comparator.comparing((Map.Entry<String, Long> owner) -> -owner.getValue()));
    return owners.subList(0, Math.min(OWNERS_SHOWN, owners.size()));
  }

  private static String text(List<Map.Entry<String, Long>> owners) {
    List<String> parts = new ArrayList<>();
    for (Map.Entry<String, Long> owner : owners) {
      parts.add(owner.getKey() + " (" + owner.getValue() + " slots)");
    }
    return String.join(", ", parts);
  }

  private static long slots(long bouncePa, int lengthBytes) {
    long offset = bouncePa % BounceBufferPool.SLOT_BYTES;
    return (offset + lengthBytes + BounceBufferPool.SLOT_BYTES - 1) / BounceBufferPool.SLOT_BYTES;
  }
}
