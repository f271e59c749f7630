package io.github.bellwire.pcie;

import io.github.bellwire.kernel.RandomStream;

/** Cuts the answers to reads, see {@link CompletionCut}. */
final class CompletionCutter {
  private final CompletionCut cut;
  private final int rcbBytes;
  private final RandomStream random;

  CompletionCutter(PcieLinkConfig link, RandomStream random) {
    cut = link.completionCut();
    rcbBytes = link.readCompletionBoundaryBytes();
    this.random = random;
  }

  /**
   * {@return how much the next completion carries}
   *
   * @param address first byte
   * @param lengthBytes bytes left, at least 1
   * @param mpsBytes MPS
   */
  int pieceBytes(long address, int lengthBytes, int mpsBytes) {
    if (cut == CompletionCut.LONGEST) {
      return TlpLayout.completionPieceBytes(address, lengthBytes, mpsBytes, rcbBytes);
    }
    int piece = TlpLayout.toBoundaryBytes(address, lengthBytes, rcbBytes);
    if (cut == CompletionCut.RANDOM) {
      while (piece < lengthBytes && random.nextInt(2) == 0) {
        int longer =
            piece + TlpLayout.toBoundaryBytes(address + piece, lengthBytes - piece, rcbBytes);
        if (TlpLayout.dataBytes(address, longer) > mpsBytes) {
          break;
        }
        piece = longer;
      }
    }
    return piece;
  }
}
