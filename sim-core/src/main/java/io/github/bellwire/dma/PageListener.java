package io.github.bellwire.dma;

/** Hears which pages are handed out and given back, as a checker does. */
public interface PageListener {
  /**
   * A block has been handed out.
   *
   * @param pa first byte
   * @param sizeBytes a multiple of the page size
   */
  void onAllocate(long pa, long sizeBytes);

  /**
   * A block has been given back.
   *
   * @param pa first byte
   * @param sizeBytes a multiple of the page size
   */
  void onFree(long pa, long sizeBytes);
}
