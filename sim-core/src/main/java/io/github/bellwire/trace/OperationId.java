package io.github.bellwire.trace;

/**
 * The identity of a DMA operation: one descriptor handed to a device. Driver and device both count
 * the descriptors of a queue from its activation on, so that they agree on the number without
 * exchanging it.
 *
 * <pre>{@code
 *  63      56 55      54       48 47                              0
 * +----------+-----------+-----------+--------------------------------+
 * | port 8 b | direction |  queue 7  | descriptor sequence number 48  |
 * +----------+-----------+-----------+--------------------------------+
 * }</pre>
 */
public final class OperationId {
  private static final int PORT_SHIFT = 56;
  private static final int DIRECTION_SHIFT = 55;
  private static final int QUEUE_SHIFT = 48;
  private static final int QUEUE_MASK = 0x7f;
  private static final long SEQUENCE_MASK = (1L << QUEUE_SHIFT) - 1;

  private OperationId() {}

  /**
   * {@return the id of a receive descriptor}
   *
   * @param portIndex device, 0..255
   * @param queueIndex 0..127
   * @param sequence descriptors handed over on that queue before this one
   */
  public static long receive(int portIndex, int queueIndex, long sequence) {
    return ((long) portIndex << PORT_SHIFT)
        | ((long) queueIndex << QUEUE_SHIFT)
        | (sequence & SEQUENCE_MASK);
  }

  /**
   * {@return the id of a transmit descriptor}
   *
   * @param portIndex device, 0..255
   * @param queueIndex 0..127
   * @param sequence descriptors handed over on that queue before this one
   */
  public static long transmit(int portIndex, int queueIndex, long sequence) {
    return receive(portIndex, queueIndex, sequence) | 1L << DIRECTION_SHIFT;
  }

  /**
   * {@return the device}
   *
   * @param operationId an id made by this class
   */
  public static int portIndex(long operationId) {
    return (int) (operationId >>> PORT_SHIFT);
  }

  /**
   * {@return whether the descriptor is a transmit descriptor}
   *
   * @param operationId an id made by this class
   */
  public static boolean isTransmit(long operationId) {
    return (operationId >>> DIRECTION_SHIFT & 1) == 1;
  }

  /**
   * {@return the queue}
   *
   * @param operationId an id made by this class
   */
  public static int queueIndex(long operationId) {
    return (int) (operationId >>> QUEUE_SHIFT) & QUEUE_MASK;
  }

  /**
   * {@return descriptors handed over on that queue before this one}
   *
   * @param operationId an id made by this class
   */
  public static long sequence(long operationId) {
    return operationId & SEQUENCE_MASK;
  }

  /**
   * {@return the id in words, such as {@code port 0 rx queue 0 #17}}
   *
   * @param operationId an id made by this class
   */
  public static String describe(long operationId) {
    return "port "
        + portIndex(operationId)
        + (isTransmit(operationId) ? " tx queue " : " rx queue ")
        + queueIndex(operationId)
        + " #"
        + sequence(operationId);
  }
}
