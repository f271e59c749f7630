package io.github.bellwire.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class IntegratedRegistersTest {
  private static final long BASE = 0xFED9_0000L;
  private static final long DOWN_PS = 50_000;
  private static final long UP_PS = 100_000;
  private static final long AT = 1_000_000;

  private final TestFabric fabric =
      new TestFabric(new RootComplexConfig(UP_PS, DOWN_PS), Translation.IDENTITY);
  private final Registers registers = new Registers();
  private final MmioResult result = new MmioResult();

  /** One page of registers that remembers what it is told and answers with the offset. */
  private static final class Registers implements IntegratedRegisters {
    final List<String> accesses = new ArrayList<>();

    @Override
    public long baseAddress() {
      return BASE;
    }

    @Override
    public int sizeBytes() {
      return 4096;
    }

    @Override
    public long read(int offset, int sizeBytes, long atPs) {
      accesses.add("r" + sizeBytes + " " + offset + " at " + atPs);
      return offset;
    }

    @Override
    public void write(int offset, int sizeBytes, long value, long atPs) {
      accesses.add("w" + sizeBytes + " " + offset + "=" + value + " at " + atPs);
    }
  }

  IntegratedRegistersTest() {
    fabric.rootComplex.setIntegratedRegisters(registers);
  }

  @Test
  void shouldReachRegistersOfTheRootComplexWithoutALink() {
    // A write needs the way down, a read the way up besides.
    fabric.rootComplex.mmioWrite(BASE + 0x88, 4, 7, AT);
    fabric.rootComplex.mmioRead(BASE + 4092, 4, AT, result);
    assertThat(registers.accesses)
        .containsExactly("w4 136=7 at " + (AT + DOWN_PS), "r4 4092 at " + (AT + DOWN_PS));
    assertThat(result.value()).isEqualTo(4092);
    assertThat(result.donePs()).isEqualTo(AT + DOWN_PS + UP_PS);
    assertThat(fabric.rootComplex.unclaimedAccessesTotal()).isZero();
  }

  @Test
  void shouldLeaveWhatLiesOutsideTheRegistersUnclaimed() {
    fabric.rootComplex.mmioWrite(BASE - 1, 1, 7, AT);
    fabric.rootComplex.mmioRead(BASE + 4093, 4, AT, result);
    assertThat(registers.accesses).isEmpty();
    assertThat(result.value()).isEqualTo(0xFFFF_FFFFL);
    assertThat(fabric.rootComplex.unclaimedAccessesTotal()).isEqualTo(2);
  }

  @Test
  void shouldTakeOneBlockOfRegistersOnly() {
    assertThatIllegalStateException()
        .isThrownBy(() -> fabric.rootComplex.setIntegratedRegisters(registers))
        .withMessage("there are integrated registers already");
  }
}
