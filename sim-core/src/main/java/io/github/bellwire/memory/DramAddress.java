package io.github.bellwire.memory;

/**
 * Where one burst lies, as a reusable object that allocates nothing. Confined to the simulation
 * thread.
 */
final class DramAddress {
  private final AddressMapping mapping;
  private final int groupBits;
  private final int bankBits;
  private final long[] fields = new long[AddressMapping.COLUMN + 1];
  private long burst;

  DramAddress(DramConfig config) {
    DramTiming.Organization organization = config.timing().organization();
    mapping =
        new AddressMapping(config.mapping(), config.timing(), config.channels(), config.ranks());
    groupBits = Integer.numberOfTrailingZeros(organization.bankGroupsCount());
    bankBits = Integer.numberOfTrailingZeros(organization.banksPerGroupCount());
  }

  /**
   * Goes to the burst that an address lies in.
   *
   * @param pa host physical address
   */
  void decode(long pa) {
    decodeBurst(mapping.burst(pa));
  }

  /**
   * Goes to a burst.
   *
   * @param newBurst as {@link #burst} returns it
   */
  void decodeBurst(long newBurst) {
    burst = newBurst;
    mapping.decode(newBurst, fields);
  }

  /** {@return the burst, counted from address 0} */
  long burst() {
    return burst;
  }

  int channel() {
    return (int) fields[AddressMapping.CHANNEL];
  }

  /** {@return the bank's number, as {@link DramBanks} counts} */
  int bank() {
    long group = fields[AddressMapping.RANK] << groupBits | fields[AddressMapping.GROUP];
    return (int) (group << bankBits | fields[AddressMapping.BANK]);
  }

  long row() {
    return fields[AddressMapping.ROW];
  }
}
