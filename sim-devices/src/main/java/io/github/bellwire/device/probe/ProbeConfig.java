package io.github.bellwire.device.probe;

import static io.github.bellwire.kernel.Requirements.requireRange;
import static java.util.Objects.requireNonNull;

import io.github.bellwire.pcie.TlpLayout;

/**
 * The measuring device. Construction throws {@link IllegalArgumentException} naming the property,
 * the bound it breaks and its value.
 *
 * @param tags reads that may be outstanding, 1..768
 * @param reads the read engine
 * @param writes the write engine
 * @param pairsPerSecond how many reads with a write each both engines start together; {@link
 *     #UNLIMITED} for as many as each alone
 * @param firmware what happens before and after an engine
 */
public record ProbeConfig(
    int tags, Reads reads, Writes writes, long pairsPerSecond, Firmware firmware) {
  /** An engine that is never the bottleneck: it takes no time at all. */
  public static final long UNLIMITED = Long.MAX_VALUE;

  private static final int TAGS_MAX = 768;
  private static final long TIME_MAX_PS = 1_000_000_000;
  private static final long PS_PER_SECOND = 1_000_000_000_000L;

  /**
   * The read engine. A read keeps it for the time between two starts, or longer:
   *
   * <ul>
   *   <li>a short one for {@code length * shortPsPerByte + pieces * shortPsPerPiece}, where a piece
   *       is a completion of MPS and a start inside a line makes one more;
   *   <li>one that is no whole number of double words for {@code partialWordPs}.
   * </ul>
   *
   * @param startsPerSecond how many reads start at most, 1 to {@link #UNLIMITED}
   * @param cutsAtMultiples whether requests end where an address is a multiple of MRRS, rather than
   *     MRRS behind the start of the read
   * @param takesTagsInTurn whether a request takes the tag that was taken longest ago and waits
   *     until that is free, rather than any that is free
   * @param nextRequestPs from one request of a read to the next of the same read, which others use
   *     in a stream of reads; 0..1 ms
   * @param shortBytes up to which length a read is short, 0..4096
   * @param shortOutstandingBytes buffer of short reads: how many bytes of them may be outstanding,
   *     at least those of one; 4096..2^30
   * @param shortPsPerByte 0..1 ms
   * @param shortPsPerPiece 0..1 ms
   * @param partialWordPs 0..1 ms
   * @param retirePsPerByte how long a byte takes from the receive buffer into the device once the
   *     last completion is there (store and forward); 0..1 ms
   */
  public record Reads(
      long startsPerSecond,
      boolean cutsAtMultiples,
      boolean takesTagsInTurn,
      long nextRequestPs,
      int shortBytes,
      int shortOutstandingBytes,
      long shortPsPerByte,
      long shortPsPerPiece,
      long partialWordPs,
      long retirePsPerByte) {
    // Checked here and nowhere else.
    public Reads {
      requireRange("startsPerSecond", startsPerSecond, 1, UNLIMITED);
      requireTime(nextRequestPs, "nextRequestPs");
      requireRange("shortBytes", shortBytes, 0, 4096);
      requireRange("shortOutstandingBytes", shortOutstandingBytes, 4096, 1 << 30);
      requireTime(shortPsPerByte, "shortPsPerByte");
      requireTime(shortPsPerPiece, "shortPsPerPiece");
      requireTime(partialWordPs, "partialWordPs");
      requireTime(retirePsPerByte, "retirePsPerByte");
    }

    /**
     * {@return this engine with another rate; {@link #UNLIMITED} removes all that its own work
     * takes}
     *
     * @param newStartsPerSecond as in the constructor
     */
    public Reads withStartsPerSecond(long newStartsPerSecond) {
      return newStartsPerSecond == UNLIMITED
          ? new Reads(
              UNLIMITED,
              cutsAtMultiples,
              takesTagsInTurn,
              0,
              0,
              shortOutstandingBytes,
              0,
              0,
              0,
              retirePsPerByte)
          : new Reads(
              newStartsPerSecond,
              cutsAtMultiples,
              takesTagsInTurn,
              nextRequestPs,
              shortBytes,
              shortOutstandingBytes,
              shortPsPerByte,
              shortPsPerPiece,
              partialWordPs,
              retirePsPerByte);
    }

    /**
     * {@return how much of a read its next request covers}
     *
     * @param address first byte
     * @param lengthBytes bytes left, at least 1
     * @param mrrsBytes MRRS, a power of two
     */
    int requestBytes(long address, int lengthBytes, int mrrsBytes) {
      int piece = TlpLayout.requestPieceBytes(address, lengthBytes, mrrsBytes);
      int toMultiple = mrrsBytes - (int) (address & mrrsBytes - 1);
      return cutsAtMultiples ? Math.min(piece, toMultiple) : piece;
    }
  }

  /**
   * The write engine. It fetches the data from the memory of the device in bursts before the first
   * TLP leaves; TLPs end at multiples of MPS. A write keeps it for {@code psPerByte} per byte of
   * all bursts but the last, and for the last one for the time between two starts or {@code basePs
   * + bytes * psPerByte}, whatever is longer; a burst that goes to two TLPs takes {@code splitPs}
   * more.
   *
   * @param startsPerSecond how many writes start at most, 1 to {@link #UNLIMITED}
   * @param burstBytes a power of two, 64..4096
   * @param psPerByte 0..1 ms
   * @param basePs 0..1 ms
   * @param splitPs 0..1 ms
   * @param setupPs what a write takes longer than a read from the start that the firmware notes to
   *     the engine's work, 0..1 ms
   */
  public record Writes(
      long startsPerSecond,
      int burstBytes,
      long psPerByte,
      long basePs,
      long splitPs,
      long setupPs) {
    // Checked here and nowhere else.
    public Writes {
      requireRange("startsPerSecond", startsPerSecond, 1, UNLIMITED);
      requireRange("burstBytes", burstBytes, 64, 4096);
      if (Integer.bitCount(burstBytes) != 1) {
        throw new IllegalArgumentException(
            "burstBytes must be a power of two: burstBytes=" + burstBytes);
      }
      requireTime(psPerByte, "psPerByte");
      requireTime(basePs, "basePs");
      requireTime(splitPs, "splitPs");
      requireTime(setupPs, "setupPs");
    }

    /**
     * {@return this engine with another rate; {@link #UNLIMITED} removes all that its own work
     * takes}
     *
     * @param newStartsPerSecond as in the constructor
     */
    public Writes withStartsPerSecond(long newStartsPerSecond) {
      return newStartsPerSecond == UNLIMITED
          ? new Writes(UNLIMITED, burstBytes, 0, 0, 0, setupPs)
          : new Writes(newStartsPerSecond, burstBytes, psPerByte, basePs, splitPs, setupPs);
    }
  }

  /**
   * The program on the device.
   *
   * @param timestampPs steps of its clock, 1 ps..1 ms
   * @param commandPs from the start that it notes to the engine's work, 0..1 ms
   * @param noticePs from the end of the engine's work to the end that it notes, 0..1 ms
   * @param loopPs from one single operation to the next, which no latency contains, on average; it
   *     varies between 0 and twice that, so that operations fall on all phases of everything that
   *     is periodic; 0..1 ms
   */
  public record Firmware(long timestampPs, long commandPs, long noticePs, long loopPs) {
    // Checked here and nowhere else.
    public Firmware {
      requireRange("timestampPs", timestampPs, 1, TIME_MAX_PS);
      requireTime(commandPs, "commandPs");
      requireTime(noticePs, "noticePs");
      requireTime(loopPs, "loopPs");
    }

    /**
     * {@return this program with another clock}
     *
     * @param newTimestampPs as in the constructor
     */
    public Firmware withTimestampPs(long newTimestampPs) {
      return new Firmware(newTimestampPs, commandPs, noticePs, loopPs);
    }
  }

  /** No tag, engine or firmware limits what is measured. */
  public static final ProbeConfig IDEAL =
      new ProbeConfig(
          TAGS_MAX,
          new Reads(UNLIMITED, false, false, 0, 0, 1 << 30, 0, 0, 0, 0),
          new Writes(UNLIMITED, 128, 0, 0, 0, 0),
          UNLIMITED,
          new Firmware(1, 0, 0, 0));

  /**
   * The NFP-6000 at 1.2 GHz of "Understanding PCIe performance for end host networking" (SIGCOMM
   * 2018), as its data show it (pcie-bench/data at b2abf2f); the same for all hosts. In brackets
   * the measurement that a figure follows from:
   *
   * <ul>
   *   <li>32 tags: extended tags are off (lspci); taken in turn (reads of 257 to 1793 B that MRRS
   *       splits, which are slower than tags in any order allow); free as soon as the data has
   *       arrived (the same reads); 4 KiB of short reads, 16 of 256 B: with all translations
   *       missed, which makes the number outstanding show (64 MiB by pages of 4 KiB), 128 B keep
   *       the rate of 64 B and 256 B do not;
   *   <li>67 M reads/s (16 B), 152 ps per byte and 4 ns per piece (64 to 256 B), 23.7 ns for odd
   *       lengths (63, 65 B); 156 ps per byte of store and forward (latency against size);
   *   <li>requests end at multiples of MRRS: with MRRS 512 B, 129 and 192 B take more than with
   *       4096 B, 128 and 256 B do not; 416 B from addresses 448 B apart take a fifth more than
   *       from addresses 512 B apart, where none has to be split; 52 ns from one request of a read
   *       to the next (latency of 128, 256, 257 and 416 B, a share of which is split);
   *   <li>47.4 M writes/s (16 to 64 B), bursts of 128 B with 7.8 ns + 128 ps per byte (128, 192 and
   *       256 B), 4 ns for a burst that is split (128 B at an offset of 4 B);
   *   <li>45 M pairs/s (64 B);
   *   <li>timestamps every 16 cycles; software sees the end 30 ns after the tag is free (read
   *       bandwidth times latency); 30 ns from command to engine is an assumption that makes the
   *       DMA engine add 70 ns to a bare command read (65 to 120 ns); 70 ns more for a write (write
   *       and read of the same bytes, 64 B to 2 KiB, beside what bare commands show of the host);
   *       194 ns from one to the next (total time less latencies).
   * </ul>
   *
   * <p>Effects of this device that are not modelled: reads and writes together of 128 B to 1 KiB
   * run 15 to 23 % below what the link allows; reads of 65 to 127 and of 129 B take up to 3 ns
   * more; reads of 1024 B that MRRS splits into two of 512 B run 8 % slower in all runs but one,
   * where they are as fast as they are here.
   */
  public static final ProbeConfig NFP6000 =
      new ProbeConfig(
          32,
          new Reads(67_000_000, true, true, 52_000, 256, 4096, 152, 4_000, 23_700, 156),
          new Writes(47_400_000, 128, 128, 7_800, 4_000, 70_000),
          45_000_000,
          new Firmware(13_333, 30_000, 30_000, 194_000));

  // Checked here and nowhere else: a configuration that exists is a valid one.
  public ProbeConfig {
    requireRange("tags", tags, 1, TAGS_MAX);
    requireNonNull(reads, "reads");
    requireNonNull(writes, "writes");
    requireRange("pairsPerSecond", pairsPerSecond, 1, UNLIMITED);
    requireNonNull(firmware, "firmware");
  }

  /**
   * {@return this probe with another number of tags}
   *
   * @param newTags as in the constructor
   */
  public ProbeConfig withTags(int newTags) {
    return new ProbeConfig(newTags, reads, writes, pairsPerSecond, firmware);
  }

  /**
   * {@return this probe with another read engine}
   *
   * @param newReads as in the constructor
   */
  public ProbeConfig withReads(Reads newReads) {
    return new ProbeConfig(tags, newReads, writes, pairsPerSecond, firmware);
  }

  /**
   * {@return this probe with another write engine}
   *
   * @param newWrites as in the constructor
   */
  public ProbeConfig withWrites(Writes newWrites) {
    return new ProbeConfig(tags, reads, newWrites, pairsPerSecond, firmware);
  }

  /**
   * {@return this probe with another rate of pairs}
   *
   * @param newPairsPerSecond as in the constructor
   */
  public ProbeConfig withPairsPerSecond(long newPairsPerSecond) {
    return new ProbeConfig(tags, reads, writes, newPairsPerSecond, firmware);
  }

  /**
   * {@return this probe with another program}
   *
   * @param newFirmware as in the constructor
   */
  public ProbeConfig withFirmware(Firmware newFirmware) {
    return new ProbeConfig(tags, reads, writes, pairsPerSecond, newFirmware);
  }

  /**
   * {@return the time between two starts, to the nearest picosecond; 0 if there is no limit}
   *
   * @param startsPerSecond at least 1
   */
  static long intervalPs(long startsPerSecond) {
    // The quotient of halves is rounded, not cut.
    return startsPerSecond == UNLIMITED
        ? 0
        : (PS_PER_SECOND + startsPerSecond / 2) / startsPerSecond;
  }

  private static void requireTime(long value, String name) {
    requireRange(name, value, 0, TIME_MAX_PS);
  }
}
