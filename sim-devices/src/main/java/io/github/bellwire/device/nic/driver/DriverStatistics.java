package io.github.bellwire.device.nic.driver;

/**
 * What the device has counted since its counters were last read; reading clears them. Octets
 * include the FCS.
 *
 * @param goodFramesReceived GPRC: without error, those included that found no descriptor, but not
 *     those that found no room
 * @param goodBytesReceived GORC
 * @param framesReceived TPR: all that passed the address filter, errors included
 * @param missedFrames sum of MPC: no room in the packet buffer
 * @param noDescriptorDrops sum of QPRDC: dropped because a queue had no descriptor
 * @param crcErrors CRCERRS
 * @param lengthErrors RLEC
 * @param undersizeFrames RUC
 * @param fragmentFrames RFC: undersize with a bad CRC
 * @param oversizeFrames ROC
 * @param jabberFrames RJC: oversize with a bad CRC
 * @param goodFramesSent GPTC
 * @param goodBytesSent GOTC
 */
public record DriverStatistics(
    long goodFramesReceived,
    long goodBytesReceived,
    long framesReceived,
    long missedFrames,
    long noDescriptorDrops,
    long crcErrors,
    long lengthErrors,
    long undersizeFrames,
    long fragmentFrames,
    long oversizeFrames,
    long jabberFrames,
    long goodFramesSent,
    long goodBytesSent) {
  /** {@return received frames that reached no descriptor for want of room} */
  public long droppedFrames() {
    return missedFrames + noDescriptorDrops;
  }
}
