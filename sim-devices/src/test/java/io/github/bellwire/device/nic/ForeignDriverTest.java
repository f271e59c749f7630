package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bellwire.cpu.SynchronousPort;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import io.github.bellwire.pcie.ConfigLayout;
import io.github.bellwire.pcie.EnumeratedFunction;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Drives the card as a driver does that knows nothing of this project: straight-line code, register
 * offsets and bits as literals from the 82599 data sheet, polling loops that never yield.
 */
class ForeignDriverTest {
  private static final int RING = 512;
  private static final int FRAME_BYTES = 1514;
  private static final long SECOND_PS = 1_000_000_000_000L;

  private final Host host = new Host(HostConfig.GEN4_SERVER, 1);
  private final SynchronousPort cpu = host.synchronousPort(0);
  private long bar0;
  private long rxRing;
  private long txRing;
  private long rxBuffers;
  private long txBuffers;

  @BeforeEach
  void plugIn() {
    Nic nic = new Nic(NicConfig.NIC_82599, host.simulation(), host.config().link(), null);
    host.attach(nic);
    EnumeratedFunction function = host.enumerate().get(0);
    bar0 = function.barAddress(0);
    int command = nic.configSpace().read(ConfigLayout.COMMAND, 2);
    nic.configSpace().write(ConfigLayout.COMMAND, 2, command | 1 << 2);
    rxRing = host.pages().allocate(RING * 16L);
    txRing = host.pages().allocate(RING * 16L);
    rxBuffers = host.pages().allocate(RING * 2048L);
    txBuffers = host.pages().allocate(RING * 2048L);
  }

  @Test
  void shouldSendAndReceiveInLoopbackByLoadsAndStoresAlone() {
    reset();
    initializeReceive();
    initializeTransmit();
    startQueues();
    byte[][] frames = randomFrames(2000);

    // In batches of 1 to 64: one by one, the loop would spend its time on polling.
    Random random = new Random(1);
    int done = 0;
    while (done < frames.length) {
      int batch = Math.min(1 + random.nextInt(64), frames.length - done);
      for (int i = done; i < done + batch; i++) {
        send(i % RING, frames[i]);
      }
      write(0x6018, (done + batch) % RING);
      for (int i = done; i < done + batch; i++) {
        receive(i % RING, frames[i]);
      }
      for (int i = done; i < done + batch; i++) {
        poll(txRing + i % RING * 16L + 12);
      }
      done += batch;
    }

    assertThat(read(0x4074)).as("GPRC").isEqualTo(frames.length);
    assertThat(read(0x4080)).as("GPTC").isEqualTo(frames.length);
    assertThat(read(0x4080)).as("GPTC clears on read").isZero();
  }

  @Test
  void shouldTakeAResetThatIsWrittenThousandsOfTimesBeforeItIsPolled() {
    for (int i = 0; i < 5000; i++) {
      write(0x0, read(0x0) | 0x04000008);
    }
    while ((read(0x0) & 0x04000008) != 0) {
      assertThat(cpu.nowPs()).isLessThan(SECOND_PS);
    }
    assertThat(read(0x1010) | read(0x1018) | read(0x6010) | read(0x6018)).isZero();
  }

  @Test
  void shouldReadAWriteThatWasPostedJustBefore() {
    for (int i = 0; i < 5000; i++) {
      write(0x5480, i);
    }
    write(0x6000, 0x12345680);

    assertThat(read(0x6000)).isEqualTo(0x12345680L);
  }

  private void reset() {
    write(0x888, 0x7FFFFFFF);
    write(0x0, 0x04000008);
    while ((read(0x0) & 0x04000008) != 0) {
      cpu.delay(1_000_000_000L);
    }
    cpu.delay(10_000_000_000L);
    write(0x888, 0x7FFFFFFF);
    while ((read(0x10010) & 1 << 9) == 0) {
      cpu.delay(1_000_000_000L);
    }
    while ((read(0x2F00) & 1 << 3) == 0) {
      cpu.delay(1_000_000_000L);
    }
    write(0x42A0, read(0x42A0) & ~0xE000 | 3 << 13 | 1 << 12);
  }

  private void initializeReceive() {
    write(0x3000, 0);
    write(0x3C00, 0x20000);
    write(0x4240, read(0x4240) | 2 | 1 << 15);
    write(0x2F00, read(0x2F00) | 2);
    write(0x5080, read(0x5080) | 1 << 10);
    write(0x2100, read(0x2100) & ~(7 << 25) | 1 << 25 | 1 << 28);
    for (int i = 0; i < RING; i++) {
      cpu.store(rxRing + i * 16L, 8, rxBuffers + i * 2048L);
      cpu.store(rxRing + i * 16L + 8, 8, 0);
    }
    write(0x1000, rxRing & 0xFFFFFFFFL);
    write(0x1004, rxRing >>> 32);
    write(0x1008, RING * 16);
    write(0x1010, 0);
    write(0x1018, 0);
    write(0x3000, 1);
  }

  private void initializeTransmit() {
    write(0x4240, read(0x4240) | 1 | 1 << 10);
    write(0xCC00, 0xA000);
    write(0x8100, 0xFFFF);
    write(0x4900, read(0x4900) & ~(1 << 6));
    write(0x6000, txRing & 0xFFFFFFFFL);
    write(0x6004, txRing >>> 32);
    write(0x6008, RING * 16);
    write(0x6028, read(0x6028) & ~0x3F3F3F | 0x00040824);
    write(0x4A80, 1);
  }

  private void startQueues() {
    write(0x1028, read(0x1028) | 1 << 25);
    while ((read(0x1028) & 1 << 25) == 0) {
      cpu.delay(1_000_000_000L);
    }
    write(0x1010, 0);
    write(0x1018, RING - 1);
    write(0x6010, 0);
    write(0x6018, 0);
    write(0x6028, read(0x6028) | 1 << 25);
    while ((read(0x6028) & 1 << 25) == 0) {
      cpu.delay(1_000_000_000L);
    }
    write(0x5080, read(0x5080) | 1 << 8 | 1 << 9);
    while ((read(0x42A4) & 1 << 30) == 0) {
      cpu.delay(10_000_000_000L);
    }
    assertThat(read(0x42A4) >>> 28 & 3).as("10 Gb/s").isEqualTo(3);
  }

  private void send(int index, byte[] frame) {
    long buffer = txBuffers + index * 2048L;
    cpu.store(buffer, frame, 0, frame.length);
    cpu.store(txRing + index * 16L, 8, buffer);
    // EOP, IFCS, RS, DEXT, data descriptor; PAYLEN.
    cpu.store(txRing + index * 16L + 8, 4, 0x2B300000L | frame.length);
    cpu.store(txRing + index * 16L + 12, 4, (long) frame.length << 14);
  }

  private void receive(int index, byte[] frame) {
    long descriptor = rxRing + index * 16L;
    poll(descriptor + 8);
    assertThat(cpu.load(descriptor + 8, 4) & 2).as("EOP").isEqualTo(2);
    assertThat(cpu.load(descriptor + 12, 2)).isEqualTo(frame.length);
    byte[] received = new byte[frame.length];
    cpu.load(rxBuffers + index * 2048L, received, 0, received.length);
    assertThat(received).isEqualTo(frame);
    cpu.store(descriptor, 8, rxBuffers + index * 2048L);
    cpu.store(descriptor + 8, 8, 0);
    write(0x1018, index);
  }

  /** Waits for bit 0, without ever yielding. */
  private void poll(long pa) {
    while ((cpu.load(pa, 4) & 1) == 0) {
      if (cpu.nowPs() > 10 * SECOND_PS) {
        throw new AssertionError("nothing has come: pa=" + pa);
      }
    }
  }

  private static byte[][] randomFrames(int count) {
    long seed = 599;
    Random random = new Random(seed);
    byte[][] frames = new byte[count][];
    for (int i = 0; i < count; i++) {
      frames[i] = new byte[60 + random.nextInt(FRAME_BYTES - 60 + 1)];
      random.nextBytes(frames[i]);
      Arrays.fill(frames[i], 12, 14, (byte) 0x88); // no VLAN tag, no IP
    }
    return frames;
  }

  private long read(long offset) {
    return cpu.mmioRead(bar0 + offset, 4);
  }

  private void write(long offset, long value) {
    cpu.mmioWrite(bar0 + offset, 4, value);
  }
}
