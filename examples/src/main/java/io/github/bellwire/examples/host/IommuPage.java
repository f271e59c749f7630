package io.github.bellwire.examples.host;

/** The pages that the IOMMU maps memory by, if there is one. */
public enum IommuPage {
  /** There is no IOMMU. */
  OFF("off", 0),
  /** Pages of 4 KiB. */
  PAGE_4K("4k", 12),
  /** Pages of 2 MiB. */
  PAGE_2M("2m", 21),
  /** Pages of 1 GiB. */
  PAGE_1G("1g", 30);

  private final String word;
  private final int shift;

  IommuPage(String word, int shift) {
    this.word = word;
    this.shift = shift;
  }

  /** {@return as it is written on the command line} */
  public String word() {
    return word;
  }

  /** {@return bytes of a page} */
  public long bytes() {
    return 1L << shift;
  }

  /** {@return the level of the entries that map such pages, 1 for the last} */
  int level() {
    return (shift - 12) / 9 + 1; // 12, 21 and 30 bits.
  }

  /**
   * {@return the page with a word}
   *
   * @param word one of the words
   */
  public static IommuPage of(String word) {
    for (IommuPage page : values()) {
      if (page.word.equals(word)) {
        return page;
      }
    }
    throw new IllegalArgumentException("word must be that of a page: word=" + word);
  }
}
