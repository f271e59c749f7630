package io.github.bellwire.device.striding.driver;

import io.github.bellwire.cpu.CpuPort;

/** The software behind the driver. */
public interface FrameHandler {
  /**
   * A frame has arrived.
   *
   * @param port the core of the channel
   * @param channel where it came in
   * @param flow whose it is
   * @param sequence its number in the flow
   * @param lengthBytes of the frame
   * @param pages of its entry, owned by the driver
   * @param firstPage the first of them that holds bytes of it; to be held by whoever needs it later
   * @param lastPage the last of them
   */
  void onFrame(
      CpuPort port,
      StridingChannel channel,
      int flow,
      int sequence,
      int lengthBytes,
      RxPage[] pages,
      int firstPage,
      int lastPage);

  /**
   * The turn is over: no more frames for now.
   *
   * @param port the core of the channel
   * @param channel whose turn it was
   */
  void onTurnEnd(CpuPort port, StridingChannel channel);
}
