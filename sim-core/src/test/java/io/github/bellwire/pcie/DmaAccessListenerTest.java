package io.github.bellwire.pcie;

import static io.github.bellwire.pcie.TestFabric.HIGH;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a listener hears of requests that reach the root complex. */
class DmaAccessListenerTest {
  private static final long AT = 1_000_000;

  private final TestFabric fabric = new TestFabric();
  private final RecordingEndpoint endpoint = fabric.plug(PcieLinkConfig.GEN3_X8);
  private final DmaPort dma = endpoint.dma();
  private final List<String> heard = new ArrayList<>();
  private final List<Long> times = new ArrayList<>();

  DmaAccessListenerTest() {
    fabric.rootComplex.listen(
        new DmaAccessListener() {
          @Override
          public void onRead(
              int requesterId,
              long iova,
              long pa,
              byte[] data,
              int offset,
              int lengthBytes,
              long atPs) {
            hear("read", requesterId, iova - pa, pa, lengthBytes, data[offset], atPs);
          }

          @Override
          public void onWrite(
              int requesterId,
              long iova,
              long pa,
              byte[] data,
              int offset,
              int lengthBytes,
              long atPs) {
            hear("write", requesterId, iova - pa, pa, lengthBytes, data[offset], atPs);
          }

          @Override
          public void onRefused(
              int requesterId, long iova, int lengthBytes, boolean isWrite, long atPs) {
            hear("refused", requesterId, isWrite ? 1 : 0, iova, lengthBytes, 0, atPs);
          }

          @Override
          public void onMessage(int requesterId, long atPs) {
            hear("message", requesterId, 0, 0, 0, 0, atPs);
          }

          @Override
          public void onRegisterRead(int requesterId, long atPs) {
            hear("register read", requesterId, 0, 0, 0, 0, atPs);
          }

          @Override
          public void onRegisterWrite(int requesterId, long atPs) {
            hear("register write", requesterId, 0, 0, 0, 0, atPs);
          }
        });
  }

  private void hear(
      String what, int requester, long first, long address, int bytes, int data, long atPs) {
    heard.add(String.format("%s %x %d %x %d %d", what, requester, first, address, bytes, data));
    times.add(atPs);
  }

  @Test
  void shouldHearEachTlpWithItsBytesAndTimes() {
    byte[] bytes = new byte[300];
    bytes[0] = 7;
    bytes[256] = 8; // the first byte of the second TLP at an MPS of 256
    long writtenPs = dma.write(HIGH, bytes, 0, 300, AT);
    byte[] read = new byte[64];
    long readPs = dma.read(HIGH + 256, read, 0, 44, writtenPs);

    assertThat(heard)
        .containsExactly(
            "write 100 0 100000000 256 7",
            "write 100 0 100000100 44 8",
            "read 100 0 100000100 44 8");
    assertThat(times.get(1)).isEqualTo(writtenPs);
    assertThat(times).isSorted();
    assertThat(times.get(2)).isBetween(writtenPs, readPs);
  }

  @Test
  void shouldHearOfRefusals() {
    dma.write(0x8000_0000L, new byte[8], 0, 8, AT);
    dma.read(0x8000_0000L, new byte[8], 0, 8, 2 * AT);

    assertThat(heard).containsExactly("refused 100 1 80000000 8 0", "refused 100 0 80000000 8 0");
  }

  @Test
  void shouldHearOfMessages() {
    long arrivalPs = dma.sendMessage(0xFEE0_0000L, 1, AT);

    assertThat(heard).containsExactly("message 100 0 0 0 0");
    assertThat(times).containsExactly(arrivalPs);
  }

  @Test
  void shouldHearOfRegisterAccessesAndOfWhom() {
    RecordingEndpoint second = fabric.plug(PcieLinkConfig.GEN3_X8);
    long bar = second.configSpace().barAddress(0);
    MmioResult result = new MmioResult();
    fabric.rootComplex.mmioWrite(bar, 4, 1, AT);
    fabric.rootComplex.mmioRead(bar, 4, AT, result);
    fabric.rootComplex.mmioWrite(bar, new byte[8], 0, 8, result.donePs());
    long arrivalPs = fabric.rootComplex.sendRead(bar, result.donePs());
    long donePs = fabric.rootComplex.answerRead(bar, new byte[8], 0, 8, arrivalPs);
    fabric.rootComplex.mmioWrite(0x9000_0000L, 4, 1, donePs); // nobody's

    assertThat(heard)
        .containsExactly(
            "register write 200 0 0 0 0",
            "register read 200 0 0 0 0",
            "register write 200 0 0 0 0",
            "register read 200 0 0 0 0");
    assertThat(times).containsExactly(AT, result.donePs(), result.donePs(), donePs);
  }

  @Test
  void shouldHearNothingOfAReadOfNothing() {
    dma.read(HIGH, new byte[1], 0, 0, AT);
    dma.read(0x8000_0000L, new byte[1], 0, 0, 2 * AT);

    assertThat(heard).isEmpty();
  }
}
