package io.github.bellwire.dma.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class DmaViolationTest {
  /** Scripts of users depend on them: add, never change. */
  private static final List<String> FOR_EVER =
      List.of(
          "overlapping-cache-lines",
          "too-many-overlaps",
          "device-unbound-with-mappings",
          "unmap-error-address",
          "unmap-not-mapped",
          "unmap-wrong-size",
          "unmap-wrong-function",
          "free-wrong-cpu-address",
          "unmap-wrong-segment-count",
          "unmap-wrong-direction",
          "mapping-error-unchecked",
          "map-stack-memory",
          "map-kernel-text",
          "sync-not-mapped",
          "sync-outside-mapping",
          "sync-wrong-direction",
          "sync-for-cpu-of-to-device",
          "sync-for-device-of-from-device",
          "sync-wrong-segment-count",
          "segment-too-long",
          "segment-crosses-boundary",
          "map-not-linear-memory",
          "map-vmalloc-memory",
          "map-without-mask",
          "allocate-without-mask",
          "map-over-mask",
          "swiotlb-exhausted",
          "swiotlb-mapping-too-large",
          "cpu-access-device-owned",
          "sync-for-cpu-missing",
          "sync-for-device-missing",
          "cpu-write-shared-line",
          "read-before-completion",
          "device-access-unmapped",
          "device-access-after-unmap",
          "device-access-after-unmap-cached",
          "device-access-beyond-mapping",
          "device-access-wrong-direction",
          "device-access-freed-memory",
          "memory-freed-while-mapped",
          "device-read-unwritten",
          "doorbell-before-descriptor",
          "descriptor-fetched-twice",
          "pte-changed-without-invalidation",
          "needless-global-flush",
          "iova-leak");

  @Test
  void shouldKeepIdentifiersForEver() {
    assertThat(DmaViolation.values())
        .extracting(DmaViolation::identifier)
        .containsExactlyElementsOf(FOR_EVER)
        .doesNotHaveDuplicates()
        .allMatch(identifier -> identifier.matches("[a-z]+(-[a-z]+)+"));
  }

  @Test
  void shouldFindViolationsByTheirIdentifiers() {
    for (DmaViolation violation : DmaViolation.values()) {
      assertThat(DmaViolation.of(violation.identifier())).contains(violation);
    }
    assertThat(DmaViolation.of("unmap-wrong-siz")).isEmpty();
  }

  @Test
  void shouldHoldAllChecksOfLinux() {
    // The 22 of debug.c and its warning, and 5 warnings of the DMA core.
    assertThat(Arrays.stream(DmaViolation.values()).filter(DmaViolation::isKnownToLinux))
        .hasSize(22 + 1 + 5);
  }

  @Test
  void shouldBeDocumentedAsItIs() throws IOException {
    StringBuilder table = new StringBuilder();
    for (DmaViolation violation : DmaViolation.values()) {
      table.append("| `").append(violation.identifier());
      table.append("` | ").append(violation.sentence());
      table.append(" | ").append(violation.source()).append(" |\n");
    }

    assertThat(Files.readString(Path.of("docs/dma-checker.md"))).contains(table + "\nNot found");
  }
}
