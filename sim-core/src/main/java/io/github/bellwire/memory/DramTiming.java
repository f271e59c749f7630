package io.github.bellwire.memory;

import static io.github.bellwire.kernel.Requirements.requirePowerOfTwo;
import static io.github.bellwire.kernel.Requirements.requireRange;
import static java.util.Objects.requireNonNull;

/**
 * One DRAM part at one speed: its organization and how far apart its commands have to be. Values
 * are in memory clocks, as data sheets and JEDEC tables have them, where nothing else is said.
 *
 * <p>A request moves one burst: 64 bytes, or 32 bytes of an HBM2 pseudo-channel.
 *
 * @param clockPs period of the memory clock in picoseconds, 100..10 000
 * @param organization banks and rows
 * @param column distances between read and write commands
 * @param row distances between commands of rows
 * @param refresh how often and how long a rank is away
 * @param commandBus what commands occupy
 */
public record DramTiming(
    long clockPs,
    Organization organization,
    Column column,
    Row row,
    Refresh refresh,
    CommandBus commandBus) {
  private static final int CLOCKS_MAX = 1_000;

  /**
   * Banks of a rank and rows of a bank.
   *
   * @param bankGroupsCount a power of two, 1..8
   * @param banksPerGroupCount a power of two, 1..16
   * @param rowBytes of one bank over all devices of a rank, a power of two, 512..65536
   * @param burstBytes what one read or write command moves, 32 or 64
   * @param isBusPerRank whether each rank has a data bus of its own, as the pseudo-channels of HBM
   *     have, which share nothing but the command bus
   */
  public record Organization(
      int bankGroupsCount,
      int banksPerGroupCount,
      int rowBytes,
      int burstBytes,
      boolean isBusPerRank) {
    // Checked here and nowhere else.
    public Organization {
      requirePowerOfTwo("bankGroupsCount", bankGroupsCount, 1, 8);
      requirePowerOfTwo("banksPerGroupCount", banksPerGroupCount, 1, 16);
      requirePowerOfTwo("rowBytes", rowBytes, 512, 65_536);
      requirePowerOfTwo("burstBytes", burstBytes, 32, 64);
    }

    /** {@return banks of one rank} */
    public int banksCount() {
      return bankGroupsCount * banksPerGroupCount;
    }

    /** {@return bursts of one row} */
    public int burstsPerRow() {
      return rowBytes / burstBytes;
    }
  }

  /**
   * Read and write commands, in clocks.
   *
   * @param burst a burst on the data bus (tBURST, BL/2)
   * @param readLatency read command to data (tCL)
   * @param writeLatency write command to data (tCWL)
   * @param spacingShort to another bank group (tCCD_S)
   * @param spacingLong to the same bank group (tCCD_L)
   * @param spacingLongWrite write to write in the same bank group (DDR5 tCCD_L_WR)
   * @param writeToReadShort end of write data to read in another bank group (tWTR_S)
   * @param writeToReadLong end of write data to read in the same bank group (tWTR_L)
   * @param readToWriteGap idle bus between read data and write data
   * @param rankSwitch idle bus between the data of two ranks (tCS, tRTRS)
   */
  public record Column(
      int burst,
      int readLatency,
      int writeLatency,
      int spacingShort,
      int spacingLong,
      int spacingLongWrite,
      int writeToReadShort,
      int writeToReadLong,
      int readToWriteGap,
      int rankSwitch) {
    // Checked here and nowhere else.
    public Column {
      requireClocks(burst, "burst", 1);
      requireClocks(readLatency, "readLatency", 1);
      requireClocks(writeLatency, "writeLatency", 1);
      requireClocks(spacingShort, "spacingShort", 1);
      requireClocks(spacingLong, "spacingLong", spacingShort);
      requireClocks(spacingLongWrite, "spacingLongWrite", spacingShort);
      requireClocks(writeToReadShort, "writeToReadShort", 0);
      requireClocks(writeToReadLong, "writeToReadLong", writeToReadShort);
      requireClocks(readToWriteGap, "readToWriteGap", 0);
      requireClocks(rankSwitch, "rankSwitch", 0);
    }
  }

  /**
   * Activates and precharges, in clocks.
   *
   * @param activateToRead tRCD, tRCDRD
   * @param activateToWrite tRCD, tRCDWR
   * @param precharge tRP
   * @param activateToPrecharge tRAS
   * @param readToPrecharge tRTP
   * @param writeRecovery end of write data to precharge (tWR)
   * @param spacingShort activates of different bank groups (tRRD_S)
   * @param spacingLong activates of the same bank group (tRRD_L)
   * @param fourActivates window that holds at most four activates of a rank (tFAW)
   */
  public record Row(
      int activateToRead,
      int activateToWrite,
      int precharge,
      int activateToPrecharge,
      int readToPrecharge,
      int writeRecovery,
      int spacingShort,
      int spacingLong,
      int fourActivates) {
    // Checked here and nowhere else.
    public Row {
      requireClocks(activateToRead, "activateToRead", 1);
      requireClocks(activateToWrite, "activateToWrite", 1);
      requireClocks(precharge, "precharge", 1);
      requireClocks(activateToPrecharge, "activateToPrecharge", 1);
      requireClocks(readToPrecharge, "readToPrecharge", 1);
      requireClocks(writeRecovery, "writeRecovery", 1);
      requireClocks(spacingShort, "spacingShort", 1);
      requireClocks(spacingLong, "spacingLong", spacingShort);
      requireClocks(fourActivates, "fourActivates", 1);
    }
  }

  /**
   * All-bank refresh of a rank.
   *
   * @param intervalPs between refreshes of a rank (tREFI), 1 us..1 ms
   * @param cyclePs how long one takes (tRFC), at least 0, less than half the interval; it grows
   *     with the density of the devices: DDR3 and DDR4 160 ns at 2 Gb, 260 ns at 4 Gb, 350 ns at 8
   *     Gb (JESD79-3F table 61, JESD79-4 table 132)
   */
  public record Refresh(long intervalPs, long cyclePs) {
    private static final long INTERVAL_MIN_PS = 1_000_000;
    private static final long INTERVAL_MAX_PS = 1_000_000_000;

    // Checked here and nowhere else.
    public Refresh {
      if (intervalPs < INTERVAL_MIN_PS || intervalPs > INTERVAL_MAX_PS) {
        throw new IllegalArgumentException(
            "intervalPs must be 1000000..1000000000: intervalPs=" + intervalPs);
      }
      if (cyclePs < 0 || cyclePs >= intervalPs / 2) {
        throw new IllegalArgumentException(
            "cyclePs must be at least 0, less than half of intervalPs="
                + intervalPs
                + ": cyclePs="
                + cyclePs);
      }
    }
  }

  /**
   * The command bus of a channel.
   *
   * @param activateClocks what an activate occupies, 1..2; a precharge takes one clock
   * @param columnClocks what a read or write occupies, 1..2
   * @param isRowBusSeparate whether activates and precharges have a bus of their own, as in HBM
   */
  public record CommandBus(int activateClocks, int columnClocks, boolean isRowBusSeparate) {
    // Checked here and nowhere else.
    public CommandBus {
      requireRange("activateClocks", activateClocks, 1, 2);
      requireRange("columnClocks", columnClocks, 1, 2);
    }
  }

  /** DDR3 and DDR4: one clock per command. */
  private static final CommandBus SINGLE = new CommandBus(1, 1, false);

  /**
   * DDR3-1600 11-11-11, 4 Gb x8, 8 banks, 8 KiB rows: JESD79-3F speed bin DDR3-1600K, tRRD 6 ns and
   * tFAW 30 ns for 1 KiB pages, tRFC 260 ns; rank switch of one clock as in DRAMsim3.
   */
  public static final DramTiming DDR3_1600 =
      new DramTiming(
          1_250,
          new Organization(1, 8, 8_192, 64, false),
          new Column(4, 11, 8, 4, 4, 4, 6, 6, 2, 1),
          new Row(11, 11, 11, 28, 6, 12, 5, 5, 24),
          new Refresh(7_800_000, 260_000),
          SINGLE);

  /**
   * DDR3-1333 9-9-9, 2 Gb x8: JESD79-3F speed bin DDR3-1333H, tRFC 160 ns; as {@link #DDR3_1600}.
   */
  public static final DramTiming DDR3_1333 =
      new DramTiming(
          1_500,
          new Organization(1, 8, 8_192, 64, false),
          new Column(4, 9, 7, 4, 4, 4, 5, 5, 2, 1),
          new Row(9, 9, 9, 24, 5, 10, 4, 4, 20),
          new Refresh(7_800_000, 160_000),
          SINGLE);

  /**
   * DDR4-1866 13-13-13, 4 Gb x8, 4 x 4 banks, 8 KiB rows: JESD79-4 speed bin DDR4-1866M, tRFC 260
   * ns.
   */
  public static final DramTiming DDR4_1866 =
      new DramTiming(
          1_071,
          new Organization(4, 4, 8_192, 64, false),
          new Column(4, 13, 10, 4, 5, 5, 3, 7, 2, 2),
          new Row(13, 13, 13, 32, 7, 14, 4, 5, 22),
          new Refresh(7_800_000, 260_000),
          SINGLE);

  /**
   * DDR4-2133 15-15-15, 8 Gb x8, 4 x 4 banks, 8 KiB rows: JESD79-4 speed bin DDR4-2133P, tRFC 350
   * ns.
   */
  public static final DramTiming DDR4_2133 =
      new DramTiming(
          938,
          new Organization(4, 4, 8_192, 64, false),
          new Column(4, 15, 11, 4, 6, 6, 3, 8, 2, 2),
          new Row(15, 15, 15, 36, 8, 16, 4, 6, 23),
          new Refresh(7_800_000, 350_000),
          SINGLE);

  /**
   * DDR4-2400 16-16-16, 8 Gb x8, 4 x 4 banks, 8 KiB rows: JESD79-4 speed bin DDR4-2400R as in
   * Ramulator 2.1, python/ramulator/dram/ddr4.py.
   */
  public static final DramTiming DDR4_2400 =
      new DramTiming(
          833,
          new Organization(4, 4, 8_192, 64, false),
          new Column(4, 16, 12, 4, 6, 6, 3, 9, 2, 2),
          new Row(16, 16, 16, 39, 9, 18, 4, 6, 26),
          new Refresh(7_800_212, 360_689),
          SINGLE);

  /**
   * DDR4-3200 22-22-22, 8 Gb x8, 4 x 4 banks, 8 KiB rows: JESD79-4 speed bin DDR4-3200AA as in
   * Ramulator 2.1, python/ramulator/dram/ddr4.py.
   */
  public static final DramTiming DDR4_3200 =
      new DramTiming(
          625,
          new Organization(4, 4, 8_192, 64, false),
          new Column(4, 22, 16, 4, 8, 8, 4, 12, 2, 2),
          new Row(22, 22, 22, 52, 12, 24, 4, 8, 34),
          new Refresh(7_800_000, 360_000),
          SINGLE);

  /**
   * DDR4-2400 17-17-17, 8 Gb x8, as DRAMsim3 has it in configs/DDR4_8Gb_x8_2400.ini: another speed
   * bin than {@link #DDR4_2400}, its clock rounded to 0.83 ns.
   */
  public static final DramTiming DDR4_2400_DRAMSIM3 =
      new DramTiming(
          830,
          new Organization(4, 4, 8_192, 64, false),
          new Column(4, 17, 12, 4, 6, 6, 3, 9, 1, 1),
          new Row(17, 17, 17, 39, 9, 18, 4, 6, 26),
          new Refresh(7_768_800, 348_600),
          SINGLE);

  /**
   * DDR4-3200 22-22-22, 8 Gb x8, as DRAMsim3 has it in configs/DDR4_8Gb_x8_3200.ini: as {@link
   * #DDR4_3200}, but with a clock rounded to 0.63 ns, tREFI and tRFC of 12480 and 560 of them, and
   * one clock between ranks and from reads to writes.
   */
  public static final DramTiming DDR4_3200_DRAMSIM3 =
      new DramTiming(
          630,
          new Organization(4, 4, 8_192, 64, false),
          new Column(4, 22, 16, 4, 8, 8, 4, 12, 1, 1),
          new Row(22, 22, 22, 52, 12, 24, 4, 8, 34),
          new Refresh(7_862_400, 352_800),
          SINGLE);

  /**
   * One 32-bit subchannel of DDR5-4800 36-36-36, 16 Gb x8, 8 x 4 banks, 4 KiB rows: JESD79-5 speed
   * bin DDR5-4800BN as in Ramulator 2.1, python/ramulator/dram/ddr5.py. Activate, read and write
   * are commands of two clocks (JESD79-5 table 30).
   */
  public static final DramTiming DDR5_4800 =
      new DramTiming(
          416,
          new Organization(8, 4, 4_096, 64, false),
          new Column(8, 36, 34, 8, 12, 48, 6, 24, 4, 2),
          new Row(36, 36, 36, 77, 18, 72, 8, 12, 48),
          new Refresh(3_900_000, 295_360),
          new CommandBus(2, 2, false));

  /**
   * HBM2 at 2.4 Gb/s per pin, 8 Gb: ranks are its pseudo-channels of 64 bits, each with 4 x 4 banks
   * and 1 KiB rows; JESD235 as in Ramulator 2.1, python/ramulator/dram/hbm2.py.
   */
  public static final DramTiming HBM2 =
      new DramTiming(
          833,
          new Organization(4, 4, 1_024, 32, true),
          new Column(2, 17, 6, 2, 4, 4, 8, 10, 2, 0),
          new Row(17, 14, 17, 40, 6, 19, 5, 5, 19),
          new Refresh(3_900_106, 350_693),
          new CommandBus(2, 1, true));

  // Checked here and nowhere else: a configuration that exists is a valid one.
  public DramTiming {
    requireRange("clockPs", clockPs, 100, 10_000);
    requireNonNull(organization, "organization");
    requireNonNull(column, "column");
    requireNonNull(row, "row");
    requireNonNull(refresh, "refresh");
    requireNonNull(commandBus, "commandBus");
  }

  /**
   * {@return this part with other refresh times, as devices of another density have them}
   *
   * @param newRefresh as in the constructor
   */
  public DramTiming withRefresh(Refresh newRefresh) {
    return new DramTiming(clockPs, organization, column, row, newRefresh, commandBus);
  }

  /**
   * {@return this part with other distances between reads and writes}
   *
   * @param newColumn as in the constructor
   */
  public DramTiming withColumn(Column newColumn) {
    return new DramTiming(clockPs, organization, newColumn, row, refresh, commandBus);
  }

  /**
   * {@return this part with other distances between commands of rows}
   *
   * @param newRow as in the constructor
   */
  public DramTiming withRow(Row newRow) {
    return new DramTiming(clockPs, organization, column, newRow, refresh, commandBus);
  }

  /**
   * {@return this part with another clock and the same numbers of clocks}
   *
   * @param newClockPs as in the constructor
   */
  public DramTiming withClockPs(long newClockPs) {
    return new DramTiming(newClockPs, organization, column, row, refresh, commandBus);
  }

  /** {@return a read of an open row: tCL + tBURST, in picoseconds} */
  public long rowHitPs() {
    return (column.readLatency() + column.burst()) * clockPs;
  }

  /** {@return a read of a closed bank: tRCD + tCL + tBURST, in picoseconds} */
  public long rowClosedPs() {
    return row.activateToRead() * clockPs + rowHitPs();
  }

  /** {@return a read of a bank with another row open: tRP + tRCD + tCL + tBURST, in picoseconds} */
  public long rowConflictPs() {
    return row.precharge() * clockPs + rowClosedPs();
  }

  /**
   * {@return what the data bus of a channel could move if it never paused, in bytes per second,
   * rounded down}
   *
   * @param ranks which count if each has a bus of its own
   */
  public long peakBytesPerSecond(int ranks) {
    long buses = organization.isBusPerRank() ? ranks : 1;
    return buses * organization.burstBytes() * 1_000_000_000_000L / (column.burst() * clockPs);
  }

  private static void requireClocks(int value, String name, int min) {
    requireRange(name, value, min, CLOCKS_MAX);
  }
}
