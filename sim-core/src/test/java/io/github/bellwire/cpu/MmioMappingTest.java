package io.github.bellwire.cpu;

import static io.github.bellwire.pcie.TestFabric.BAR;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bellwire.pcie.LinkDirection;
import io.github.bellwire.pcie.PcieLinkConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MmioMappingTest {
  private final TestMachine machine = new TestMachine();
  private final CpuPort port = new SynchronousPort(machine.core);

  @ParameterizedTest
  @CsvSource({"UC, 8, 4", "WC, 1, 2"})
  void shouldAccessAsItsTypeSays(MemoryType type, long writes, long reads) {
    machine.fabric.plug(PcieLinkConfig.GEN3_X8);
    LinkDirection downstream = machine.fabric.port(0).downstream();
    MmioMapping mapping = new MmioMapping(BAR, 4096, type);

    mapping.store(port, 4096 - 64, new byte[65], 1, 64);
    mapping.load(port, 64, new byte[129], 1, 128);

    assertThat(downstream.memoryWritesTotal()).isEqualTo(writes); // of 8 bytes, or a line
    assertThat(downstream.memoryReadsTotal()).isEqualTo(reads); // of 32 bytes, or a line
  }

  @Test
  void shouldChangeTheType() {
    assertThat(new MmioMapping(BAR, 64, MemoryType.UC).withType(MemoryType.WC))
        .isEqualTo(new MmioMapping(BAR, 64, MemoryType.WC));
  }

  @ParameterizedTest
  @CsvSource({"-1, 8", "0, 0", "57, 8", "0, 65"})
  void shouldRejectAnAccessOutside(long offset, int lengthBytes) {
    MmioMapping mapping = new MmioMapping(BAR, 64, MemoryType.UC);
    String message =
        "access must be inside the mapping: offset=%d, lengthBytes=%d, sizeBytes=64"
            .formatted(offset, lengthBytes);

    assertThatIllegalArgumentException()
        .isThrownBy(() -> mapping.store(port, offset, new byte[65], 0, lengthBytes))
        .withMessage(message);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> mapping.load(port, offset, new byte[65], 0, lengthBytes))
        .withMessage(message);
  }

  @Test
  void shouldRejectAnIllegalRange() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new MmioMapping(0x1020, 64, MemoryType.UC))
        .withMessage("address must be a multiple of 64: address=0x1020");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new MmioMapping(0x1000, 0, MemoryType.UC))
        .withMessage("sizeBytes must be >= 1: sizeBytes=0");
  }
}
