package io.github.bellwire.device.drive;

import static io.github.bellwire.kernel.Requirements.requireRange;

/**
 * A {@link FixedRateDrive}. Construction throws {@link IllegalArgumentException} naming the
 * property, the bound it breaks and its value.
 *
 * @param blockBytes of a read, 64..65536
 * @param latencyPs from the doorbell to the first byte, 0..1 s
 * @param intervalPs between two reads at least, 1 ps..1 s
 */
public record DriveConfig(int blockBytes, long latencyPs, long intervalPs) {
  private static final long TIME_MAX_PS = 1_000_000_000_000L;

  // Checked here and nowhere else.
  public DriveConfig {
    requireRange("blockBytes", blockBytes, 64, 65_536);
    requireRange("latencyPs", latencyPs, 0, TIME_MAX_PS);
    requireRange("intervalPs", intervalPs, 1, TIME_MAX_PS);
  }
}
