package io.github.bellwire.pcie;

import static io.github.bellwire.kernel.Requirements.requireRange;

/**
 * What one end of a link advertises, per class: posted (P), non-posted (NP), completions (Cpl);
 * headers (H) of one TLP and data (D) of 16 bytes each. 0 is unlimited (PCI Express Base
 * Specification 5.0, section 2.6.1).
 *
 * <p>An endpoint advertises unlimited completion credits and has to limit its own reads to its
 * completion buffer: CplH and CplD of an endpoint are the size of that buffer here.
 *
 * @param ph posted requests, 0..2032
 * @param pd their data, 0..32752
 * @param nph non-posted requests, 0..2032
 * @param npd their data, 0..32752
 * @param cplh completions, 0..65535
 * @param cpld their data, 0..65535
 */
public record FlowControlCredits(int ph, int pd, int nph, int npd, int cplh, int cpld) {
  /** No limit anywhere. */
  public static final FlowControlCredits UNLIMITED = new FlowControlCredits(0, 0, 0, 0, 0, 0);

  /** Root port of a Xeon C5500 or C3500, x4 (data sheet 323103-001, volume 1, table 76). */
  public static final FlowControlCredits XEON_C5500_X4 =
      new FlowControlCredits(16, 80, 18, 4, 0, 0);

  /** Root port of a Xeon C5500 or C3500, x8 (as {@link #XEON_C5500_X4}). */
  public static final FlowControlCredits XEON_C5500_X8 =
      new FlowControlCredits(32, 160, 36, 4, 0, 0);

  /** Root port of a Xeon C5500 or C3500, x16 (as {@link #XEON_C5500_X4}). */
  public static final FlowControlCredits XEON_C5500_X16 =
      new FlowControlCredits(64, 320, 72, 4, 0, 0);

  /** The defaults of the simulator pcievhost (wyvernSemi/pcievhost, src/pcie.h). */
  public static final FlowControlCredits PCIEVHOST = new FlowControlCredits(32, 1008, 32, 1, 0, 0);

  /**
   * A root complex that keeps 92 cache lines of writes on their way, about 300 ns each when idle:
   * 19.6 GB/s ("Understanding the Host Network", SIGCOMM 2024). Reads unlimited.
   */
  public static final FlowControlCredits WRITES_92_LINES =
      new FlowControlCredits(92, 92 * 4, 0, 0, 0, 0);

  /** Completion buffer of an Intel P-Tile endpoint, port 0 (Intel hard-IP documentation). */
  public static final FlowControlCredits P_TILE = new FlowControlCredits(0, 0, 0, 0, 1144, 1444);

  /** Completion buffer of an Intel R-Tile endpoint (Intel hard-IP documentation). */
  public static final FlowControlCredits R_TILE = new FlowControlCredits(0, 0, 0, 0, 572, 2016);

  // With scaled flow control (factor 16, from generation 4 on): 127 and 2047 without.
  private static final int HEADERS_MAX = 127 * 16;
  private static final int DATA_MAX = 2047 * 16;
  private static final int BUFFER_MAX = 65535;

  // Checked here and nowhere else: a configuration that exists is a valid one.
  public FlowControlCredits {
    requireRange("ph", ph, 0, HEADERS_MAX);
    requireRange("pd", pd, 0, DATA_MAX);
    requireRange("nph", nph, 0, HEADERS_MAX);
    requireRange("npd", npd, 0, DATA_MAX);
    requireRange("cplh", cplh, 0, BUFFER_MAX);
    requireRange("cpld", cpld, 0, BUFFER_MAX);
  }
}
