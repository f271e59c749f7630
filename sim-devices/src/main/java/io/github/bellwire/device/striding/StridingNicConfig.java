package io.github.bellwire.device.striding;

import static io.github.bellwire.kernel.Requirements.requireRange;

/**
 * A {@link StridingNic}. Construction throws {@link IllegalArgumentException} naming the property,
 * the bound it breaks and its value.
 *
 * @param queues pairs of receive and send queues, 1..64; flow f comes in through queue f modulo
 *     this
 * @param bufferBytes what it holds of frames that are not in memory yet, 16 KiB..64 MiB
 */
public record StridingNicConfig(int queues, int bufferBytes) {
  private static final int BUFFER_MIN_BYTES = 1 << 14;
  private static final int BUFFER_MAX_BYTES = 1 << 26;
  private static final int QUEUES_MAX = 64;

  // Checked here and nowhere else.
  public StridingNicConfig {
    requireRange("queues", queues, 1, QUEUES_MAX);
    requireRange("bufferBytes", bufferBytes, BUFFER_MIN_BYTES, BUFFER_MAX_BYTES);
  }
}
