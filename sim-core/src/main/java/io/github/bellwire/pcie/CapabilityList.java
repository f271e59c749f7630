package io.github.bellwire.pcie;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The capability structures of a function that is being put together: where each lies and, at the
 * end, the links from one to the next in both lists.
 */
final class CapabilityList {
  private final ConfigRegisters registers;
  private final List<Structure> structures = new ArrayList<>();

  private record Structure(Enum<?> id, int offset, int lengthBytes) {
    boolean isExtended() {
      return offset >= ConfigLayout.EXTENDED_BASE;
    }
  }

  CapabilityList(ConfigRegisters registers) {
    this.registers = registers;
  }

  /** Adds a structure to the list that starts in the header. */
  void add(CapabilityId id, int offset, int lengthBytes) {
    requireOffset(offset, ConfigLayout.CAPABILITIES_BASE, ConfigLayout.EXTENDED_BASE - lengthBytes);
    addStructure(id, offset, lengthBytes);
    registers.set16(offset, id.code());
  }

  /** Adds a structure to the list that starts at 100h. */
  void add(ExtendedCapabilityId id, int offset, int lengthBytes) {
    requireOffset(
        offset, ConfigLayout.EXTENDED_BASE, ConfigLayout.CONFIG_SPACE_BYTES - lengthBytes);
    addStructure(id, offset, lengthBytes);
    registers.set32(offset, id.code() | id.version() << ConfigLayout.EXTENDED_VERSION_SHIFT);
  }

  /**
   * Chains the structures of each list by ascending offset; the last keeps 0.
   *
   * @throws IllegalStateException if there are extended structures but none at 100h
   */
  void link() {
    structures.sort(Comparator.comparingInt(Structure::offset));
    registers.set32(ConfigLayout.CAPABILITIES_POINTER, structures.get(0).offset());
    for (int i = 1; i < structures.size(); i++) {
      Structure previous = structures.get(i - 1);
      Structure next = structures.get(i);
      if (!next.isExtended()) {
        int header = registers.value(previous.offset()) & 0xFF;
        registers.set16(previous.offset(), header | next.offset() << Byte.SIZE);
      } else if (previous.isExtended()) {
        int header = registers.value(previous.offset());
        registers.set32(
            previous.offset(), header | next.offset() << ConfigLayout.EXTENDED_NEXT_SHIFT);
      } else if (next.offset() != ConfigLayout.EXTENDED_BASE) {
        throw new IllegalStateException(
            "the first extended capability must lie at 256: offset=" + next.offset());
      }
    }
  }

  private void addStructure(Enum<?> id, int offset, int lengthBytes) {
    for (Structure other : structures) {
      boolean disjoint =
          offset >= other.offset() + other.lengthBytes() || other.offset() >= offset + lengthBytes;
      if (id == other.id() || !disjoint) {
        throw new IllegalArgumentException(
            "a capability must be the only one of its kind and place: "
                + id
                + " at "
                + offset
                + ", "
                + other);
      }
    }
    structures.add(new Structure(id, offset, lengthBytes));
  }

  private static void requireOffset(int offset, int first, int last) {
    if (offset < first || offset > last || (offset & 3) != 0) {
      throw new IllegalArgumentException(
          "offset must be a multiple of 4 in " + first + ".." + last + ": offset=" + offset);
    }
  }
}
