package io.github.bellwire.pcie;

import static io.github.bellwire.pcie.TestFabric.HIGH;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every answer to a read, as its headers on the link show it (Base Specification, 2.3.1.1). */
class CompletionCutTest {
  private TestFabric fabric = new TestFabric();
  private final List<long[]> completions = new ArrayList<>(); // {header01, header23}
  private final byte[] buffer = new byte[4096];

  @ParameterizedTest
  @EnumSource
  void shouldAnswerEveryShortReadLegally(CompletionCut cut) {
    for (int mpsBytes = 128; mpsBytes <= 256; mpsBytes *= 2) {
      for (int rcbBytes = 64; rcbBytes <= 128; rcbBytes *= 2) {
        DmaPort dma = plug(cut, mpsBytes, rcbBytes);
        for (int start = 0; start < 132; start++) {
          for (int lengthBytes = 1; lengthBytes <= 300; lengthBytes++) {
            assertLegal(dma, HIGH + start, lengthBytes, mpsBytes, rcbBytes);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldAnswerAnyReadLegally(CompletionCut cut) {
    SplittableRandom random = new SplittableRandom(cut.ordinal() + 1);
    for (int i = 0; i < 40; i++) {
      int mpsBytes = 128 << random.nextInt(6);
      int rcbBytes = 64 << random.nextInt(2);
      DmaPort dma = plug(cut, mpsBytes, rcbBytes);
      for (int j = 0; j < 1_000; j++) {
        int start = random.nextInt(4096);
        int lengthBytes = 1 + random.nextInt(4096 - start);
        assertLegal(dma, HIGH + start, lengthBytes, mpsBytes, rcbBytes);
      }
    }
  }

  @Test
  void shouldReachAll16LegalAnswersOfTheExample() {
    // RCB 64, 0x20 + 256: cuts at 0x40, 0x80, 0xC0 and 0x100 or not.
    DmaPort dma = plug(CompletionCut.RANDOM, 256, 64);
    Set<List<Integer>> answers = new HashSet<>();

    for (int i = 0; i < 1_000; i++) {
      answers.add(lengths(dma, HIGH + 0x20, 256));
    }

    assertThat(answers).hasSize(16).contains(List.of(256), List.of(32, 64, 64, 64, 32));
  }

  @Test
  void shouldCutAtEveryBoundaryIfTold() {
    DmaPort dma = plug(CompletionCut.EVERY_RCB, 256, 64);

    assertThat(lengths(dma, HIGH + 0x20, 256)).containsExactly(32, 64, 64, 64, 32);
    assertThat(lengths(dma, HIGH + 0x40, 64)).containsExactly(64);
    assertThat(lengths(plug(CompletionCut.EVERY_RCB, 256, 128), HIGH + 0x20, 256))
        .containsExactly(96, 128, 32);
  }

  @Test
  void shouldCutAsRarelyAsItMayIfTold() {
    assertThat(lengths(plug(CompletionCut.LONGEST, 256, 64), HIGH + 0x20, 256))
        .containsExactly(256);
    assertThat(lengths(plug(CompletionCut.LONGEST, 128, 64), HIGH + 0x20, 256))
        .containsExactly(96, 128, 32);
  }

  @Test
  void shouldCutAtRandomTheSameWayWithTheSameSeed() {
    DmaPort first = plug(CompletionCut.RANDOM, 256, 64);
    List<List<Integer>> answers = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      answers.add(lengths(first, HIGH + 0x20, 512));
    }

    CompletionCutTest other = new CompletionCutTest();
    DmaPort second = other.plug(CompletionCut.RANDOM, 256, 64);
    for (int i = 0; i < 50; i++) {
      assertThat(other.lengths(second, HIGH + 0x20, 512)).isEqualTo(answers.get(i));
    }
  }

  @Test
  void shouldAnswerAReadOfNothingByOneDoubleWord() {
    DmaPort dma = plug(CompletionCut.LONGEST, 256, 64);
    fabric.caches.deviceWritePs = 900_000;
    LinkDirection downstream = fabric.port(0).downstream();
    long commitPs = dma.writeStatus(HIGH, new byte[] {5}, 0, 1, 0);
    completions.clear();
    List<Long> requests = new ArrayList<>();
    fabric
        .port(0)
        .listen(
            (header01, header23, sentPs, effectivePs) -> {
              if (TlpHeader.isMemoryRead(header01)) {
                requests.add(header01);
              } else {
                completions.add(new long[] {header01, header23});
              }
            });

    long donePs = dma.read(HIGH + 2, buffer, 0, 0, 0);

    // It has pushed the write ahead of it, and returns 1 DW with a Byte Count of 1.
    assertThat(donePs).isGreaterThan(commitPs);
    assertThat(dma.status()).isEqualTo(DmaStatus.OK);
    assertThat(requests).hasSize(1);
    assertThat(TlpHeader.lengthWords(requests.get(0))).isEqualTo(1);
    assertThat(TlpHeader.firstByteEnables(requests.get(0))).isZero();
    assertThat(TlpHeader.lastByteEnables(requests.get(0))).isZero();
    assertThat(completions).hasSize(1);
    assertThat(TlpHeader.lengthWords(completions.get(0)[0])).isEqualTo(1);
    assertThat(TlpHeader.byteCount(completions.get(0)[0])).isEqualTo(1);
    assertThat(downstream.bytesTotal()).isEqualTo(24);
    assertThat(buffer).containsOnly(0);
  }

  private DmaPort plug(CompletionCut cut, int mpsBytes, int rcbBytes) {
    fabric = new TestFabric();
    PcieLinkConfig link =
        PcieLinkConfig.GEN5_X16
            .withMaxPayloadBytes(mpsBytes)
            .withMaxReadRequestBytes(4096)
            .withReadCompletionBoundaryBytes(rcbBytes)
            .withCompletionCut(cut);
    DmaPort dma = fabric.plug(link).dma();
    fabric
        .port(0)
        .listen(
            (header01, header23, sentPs, effectivePs) -> {
              if (TlpHeader.isCompletion(header01)) {
                completions.add(new long[] {header01, header23});
              }
            });
    return dma;
  }

  private List<Integer> lengths(DmaPort dma, long address, int lengthBytes) {
    completions.clear();
    dma.read(address, buffer, 0, lengthBytes, 0);
    List<Integer> lengths = new ArrayList<>();
    for (int i = 0; i < completions.size(); i++) {
      int owed = TlpHeader.byteCount(completions.get(i)[0]);
      int next = i + 1 < completions.size() ? TlpHeader.byteCount(completions.get(i + 1)[0]) : 0;
      lengths.add(owed - next);
    }
    return lengths;
  }

  private void assertLegal(DmaPort dma, long address, int lengthBytes, int mpsBytes, int rcbBytes) {
    List<Integer> pieces = lengths(dma, address, lengthBytes);
    boolean isLegal = true;
    long at = address;
    int owed = lengthBytes;
    for (int i = 0; i < pieces.size(); i++) {
      long header01 = completions.get(i)[0];
      int piece = pieces.get(i);
      long next = at + piece;
      int dataBytes = (int) ((next + 3 & ~3) - (at & ~3));
      isLegal &= piece > 0 && piece <= owed && dataBytes <= mpsBytes;
      isLegal &= piece == owed || next % rcbBytes == 0;
      isLegal &= TlpHeader.byteCount(header01) == owed;
      isLegal &= TlpHeader.lengthWords(header01) * 4 == dataBytes;
      isLegal &= TlpHeader.lowerAddress(completions.get(i)[1]) == (at & 0x7F);
      at = next;
      owed -= piece;
    }
    isLegal &= owed == 0;
    if (!isLegal) {
      assertThat(lengths(dma, address, lengthBytes))
          .as("0x%x + %d, MPS %d, RCB %d", address, lengthBytes, mpsBytes, rcbBytes)
          .isEmpty();
    }
  }
}
