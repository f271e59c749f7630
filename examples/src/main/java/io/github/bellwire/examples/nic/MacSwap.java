package io.github.bellwire.examples.nic;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.device.nic.driver.Forwarder;
import io.github.bellwire.device.nic.driver.FrameHandler;
import io.github.bellwire.device.nic.driver.ReceivedFrame;

/** Exchanges the two MAC addresses of a frame, which touches its first line, and sends it on. */
final class MacSwap implements FrameHandler {
  private static final int HIGH_OFFSET = 8;
  private static final long LOW_16 = 0xffff;
  private static final long LOW_32 = 0xffff_ffffL;

  private final Forwarder forwarder;

  MacSwap(Forwarder forwarder) {
    this.forwarder = forwarder;
  }

  @Override
  public void onFrame(CpuPort port, ReceivedFrame frame) {
    long pa = frame.pa(0);
    // Bytes 0..5 and 6..11 change places.
    long low = port.load(pa, Long.BYTES);
    long high = port.load(pa + HIGH_OFFSET, Integer.BYTES);
    port.store(pa, Long.BYTES, low >>> 48 | high << 16 | (low & LOW_16) << 48);
    port.store(pa + HIGH_OFFSET, Integer.BYTES, low >>> 16 & LOW_32);
    forwarder.onFrame(port, frame);
  }

  @Override
  public void onBatchEnd(CpuPort port) {
    forwarder.onBatchEnd(port);
  }

  @Override
  public long drainAtPs() {
    return forwarder.drainAtPs();
  }

  @Override
  public void drain(CpuPort port) {
    forwarder.drain(port);
  }
}
