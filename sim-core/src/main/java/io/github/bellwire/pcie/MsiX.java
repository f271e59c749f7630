package io.github.bellwire.pcie;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.kernel.Simulation;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The MSI-X table and pending bit array of a function, as software sees them inside BARs, and the
 * sender of its interrupt messages (PCI Express Base Specification 5.0, section 6.1.4).
 *
 * <pre>{@code
 * driver --MMIO--> [ table: address, data, mask ] --sendMessage--> DmaPort
 * device --fire--> [ pending bit if masked      ] --on unmask----> DmaPort
 * }</pre>
 *
 * <p>An interrupt that meets a masked vector, a masked function or disabled MSI-X sets the pending
 * bit; the message leaves as soon as nothing holds it back, but not before the interrupt it stands
 * for. Several interrupts on a pending vector become one message.
 *
 * <p>The owning device forwards {@link Endpoint#connect}, {@link Endpoint#reset} and the MMIO
 * accesses for which {@link #contains} holds. Changes of enable and function mask arrive from the
 * configuration space by themselves. Not modelled: the time from unmasking to sending, steering
 * tags in vector control.
 *
 * <p>Allocates nothing after construction. Confined to the simulation thread.
 */
public final class MsiX {
  /** Returned by {@link #fire}: nothing was sent, the pending bit is set. */
  public static final long PENDING = -1;

  /** Returned by {@link #fire}: the message was sent and refused; {@link DmaPort} knows why. */
  public static final long REFUSED = -2;

  private static final int ENTRY_DWORDS = MsiXLayout.ENTRY_BYTES / Integer.BYTES;
  private static final int UPPER_ADDRESS_DWORD = MsiXLayout.MESSAGE_UPPER_ADDRESS / Integer.BYTES;
  private static final int DATA_DWORD = MsiXLayout.MESSAGE_DATA / Integer.BYTES;
  private static final int CONTROL_DWORD = MsiXLayout.VECTOR_CONTROL / Integer.BYTES;

  private final ConfigSpace config;
  private final Simulation simulation;
  private final MsiXConfig layout;
  private @Nullable DmaPort dma;

  private final int[] table;
  private final long[] pendingBits;
  private final long[] pendingSincePs;

  private long sentCount;
  private long heldCount;
  private long coalescedCount;
  private long refusedCount;
  private long malformedAccessCount;

  /**
   * Creates the table with all vectors masked and attaches it to its configuration space.
   *
   * @param config the function's configuration space, with MSI-X capability; serves one table
   * @param simulation the clock, for messages that leave when software unmasks
   * @throws IllegalArgumentException if the function has no MSI-X capability
   * @throws IllegalStateException if the configuration space already serves a table
   */
  public MsiX(ConfigSpace config, Simulation simulation) {
    this.config = config;
    this.simulation = requireNonNull(simulation, "simulation");
    layout =
        config
            .msiX()
            .orElseThrow(
                () -> new IllegalArgumentException("config must have an MSI-X capability"));
    table = new int[layout.vectorCount() * ENTRY_DWORDS];
    pendingBits = new long[layout.pbaBytes() / Long.BYTES];
    pendingSincePs = new long[layout.vectorCount()];
    maskAll();
    config.attach(this::sendAllPending);
  }

  /**
   * Called once, when the function is plugged into a port.
   *
   * @param port the function's way to memory
   */
  public void connect(DmaPort port) {
    dma = requireNonNull(port, "port");
  }

  /** Forgets all pending interrupts, clears and masks all vectors. Counters go on. */
  public void reset() {
    Arrays.fill(table, 0);
    Arrays.fill(pendingBits, 0);
    maskAll();
  }

  /**
   * Raises an interrupt.
   *
   * @param vector 0 to the number of vectors minus one
   * @param atPs when the device raises it, not before the current time
   * @return when the message reaches the interrupt controller, {@link #PENDING} or {@link #REFUSED}
   * @throws IllegalArgumentException if there is no such vector
   * @throws NullPointerException if the function is not connected
   */
  public long fire(int vector, long atPs) {
    requireVector(vector);
    if (isDeliverable(vector)) {
      return send(vector, atPs);
    }
    if (isPending(vector)) {
      coalescedCount++;
      pendingSincePs[vector] = Math.max(pendingSincePs[vector], atPs);
    } else {
      heldCount++;
      pendingSincePs[vector] = atPs;
      pendingBits[vector >>> 6] |= 1L << vector; // the shift counts modulo 64
    }
    return PENDING;
  }

  /**
   * {@return whether a byte belongs to the table or to the pending bit array}
   *
   * @param bar index of the BAR, 0..5
   * @param offset byte offset in that BAR
   */
  public boolean contains(int bar, long offset) {
    return tableOffset(bar, offset) >= 0 || pbaOffset(bar, offset) >= 0;
  }

  /**
   * Reads from table or pending bit array. Reads outside both, and reads that are not naturally
   * aligned words of 4 or 8 bytes (undefined in section 7.7.2), return 0.
   *
   * @param bar index of the BAR that the address hit, 0..5
   * @param offset byte offset in that BAR
   * @param sizeBytes 4 or 8
   * @return the value, little endian in the low bytes
   */
  public long read(int bar, long offset, int sizeBytes) {
    if (isMalformed(offset, sizeBytes)) {
      malformedAccessCount++;
      return 0;
    }
    int tableOffset = tableOffset(bar, offset);
    int pbaOffset = pbaOffset(bar, offset);
    long value = 0;
    if (tableOffset >= 0) {
      int index = tableOffset >>> 2;
      // Naturally aligned, so that the odd neighbour of an even index is in the same entry.
      value = Integer.toUnsignedLong(table[index]) | (long) table[index | 1] << Integer.SIZE;
    } else if (pbaOffset >= 0) {
      value = pendingBits[pbaOffset >>> 3] >>> (pbaOffset & 4) * Byte.SIZE;
    }
    return sizeBytes == Long.BYTES ? value : value & 0xFFFF_FFFFL;
  }

  /**
   * Writes to the table. Unmasking a pending vector sends its message now. Writes to the pending
   * bit array, outside both, and writes that are not naturally aligned words of 4 or 8 bytes
   * (undefined in section 7.7.2) are ignored.
   *
   * @param bar index of the BAR that the address hit, 0..5
   * @param offset byte offset in that BAR
   * @param sizeBytes 4 or 8
   * @param value the value, little endian in the low bytes
   */
  public void write(int bar, long offset, int sizeBytes, long value) {
    if (isMalformed(offset, sizeBytes)) {
      malformedAccessCount++;
      return;
    }
    int tableOffset = tableOffset(bar, offset);
    if (tableOffset < 0) {
      return;
    }
    int index = tableOffset >>> 2;
    writeDword(index, (int) value);
    if (sizeBytes == Long.BYTES) {
      writeDword(index + 1, (int) (value >>> Integer.SIZE));
    }
    int vector = index / ENTRY_DWORDS;
    if (isDeliverable(vector) && isPending(vector)) {
      sendPending(vector);
    }
  }

  /**
   * {@return whether the pending bit of a vector is set}
   *
   * @param vector 0 to the number of vectors minus one
   * @throws IllegalArgumentException if there is no such vector
   */
  public boolean isPending(int vector) {
    requireVector(vector);
    return (pendingBits[vector >>> 6] >>> vector & 1) != 0;
  }

  /** {@return the number of vectors, 1..2048} */
  public int vectorCount() {
    return layout.vectorCount();
  }

  /** {@return messages sent so far and accepted} */
  public long sentCount() {
    return sentCount;
  }

  /** {@return interrupts that had to wait for an unmask and set the pending bit} */
  public long heldCount() {
    return heldCount;
  }

  /** {@return interrupts that found their vector pending already and share its message} */
  public long coalescedCount() {
    return coalescedCount;
  }

  /** {@return messages refused, because bus mastering is off or nobody takes the address} */
  public long refusedCount() {
    return refusedCount;
  }

  /** {@return MMIO accesses that were no aligned word of 4 or 8 bytes} */
  public long malformedAccessCount() {
    return malformedAccessCount;
  }

  /** Sends what a change of enable or function mask has released, in the order of vectors. */
  private void sendAllPending() {
    for (int word = 0; word < pendingBits.length; word++) {
      for (long bits = pendingBits[word]; bits != 0; bits &= bits - 1) {
        int vector = word * Long.SIZE + Long.numberOfTrailingZeros(bits);
        if (isDeliverable(vector)) {
          sendPending(vector);
        }
      }
    }
  }

  private void sendPending(int vector) {
    pendingBits[vector >>> 6] &= ~(1L << vector);
    send(vector, Math.max(simulation.nowPs(), pendingSincePs[vector]));
  }

  private long send(int vector, long atPs) {
    DmaPort port = requireNonNull(dma, "dma");
    int entry = vector * ENTRY_DWORDS;
    long address =
        Integer.toUnsignedLong(table[entry])
            | (long) table[entry + UPPER_ADDRESS_DWORD] << Integer.SIZE;
    long arrivalPs = port.sendMessage(address, table[entry + DATA_DWORD], atPs);
    if (port.status() != DmaStatus.OK) {
      refusedCount++;
      return REFUSED;
    }
    sentCount++;
    return arrivalPs;
  }

  private boolean isDeliverable(int vector) {
    return config.isMsiXEnabled()
        && !config.isMsiXFunctionMasked()
        && (table[vector * ENTRY_DWORDS + CONTROL_DWORD] & MsiXLayout.VECTOR_CONTROL_MASK) == 0;
  }

  private void writeDword(int index, int value) {
    int writable =
        switch (index % ENTRY_DWORDS) {
          case 0 -> ~3;
          case CONTROL_DWORD -> MsiXLayout.VECTOR_CONTROL_MASK;
          default -> -1;
        };
    table[index] = value & writable;
  }

  private void maskAll() {
    for (int i = CONTROL_DWORD; i < table.length; i += ENTRY_DWORDS) {
      table[i] = MsiXLayout.VECTOR_CONTROL_MASK;
    }
  }

  /** Returns the offset in the table, -1 outside of it. */
  private int tableOffset(int bar, long offset) {
    long relative = offset - layout.tableOffset();
    boolean inside =
        bar == layout.tableBar() && relative >= 0 && relative < table.length * Integer.BYTES;
    return inside ? (int) relative : -1;
  }

  /** Returns the offset in the pending bit array, -1 outside of it. */
  private int pbaOffset(int bar, long offset) {
    long relative = offset - layout.pbaOffset();
    boolean inside =
        bar == layout.pbaBar() && relative >= 0 && relative < pendingBits.length * Long.BYTES;
    return inside ? (int) relative : -1;
  }

  private static boolean isMalformed(long offset, int sizeBytes) {
    return sizeBytes != 4 && sizeBytes != 8 || (offset & sizeBytes - 1) != 0;
  }

  private void requireVector(int vector) {
    if (vector < 0 || vector >= layout.vectorCount()) {
      throw new IllegalArgumentException(
          "vector must be 0.." + (layout.vectorCount() - 1) + ": vector=" + vector);
    }
  }
}
