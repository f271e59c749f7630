package io.github.bellwire.dma;

/** An IOMMU, or the driver of one: tells a {@link TranslationListener} what only it knows. */
public interface TranslationSource {
  /**
   * Tells somebody from now on.
   *
   * @param listener replaces who was told before
   */
  void listen(TranslationListener listener);
}
