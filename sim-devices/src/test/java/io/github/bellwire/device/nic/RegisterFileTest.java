package io.github.bellwire.device.nic;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RegisterFileTest {
  private static final int[] PATTERNS = {0x5A5A5A5A, 0xA5A5A5A5, 0x00000000, 0xFFFFFFFF};

  private final RegisterFile registers = new RegisterFile(NicConfig.NIC_82599);

  // Rows of Linux's register self-test for the 82599: offset, count, stride, compare, write. What
  // is written under the write mask reads back under both masks and exactly so.
  @ParameterizedTest
  @CsvSource({
    "3220, 1, 0, 8007FFF0, 8007FFF0", // FCRTL
    "3260, 1, 0, 8007FFF0, 8007FFF0", // FCRTH
    "3008, 1, 0, FFFFFFFF, FFFFFFFF", // PFCTOP
    "5088, 1, 0, 00000000, 00000000", // VLNCTRL
    "1000, 4, 40, FFFFFF80, FFFFFF80", // RDBAL
    "1004, 4, 40, FFFFFFFF, FFFFFFFF", // RDBAH
    "1008, 4, 40, 000FFF80, 000FFFFF", // RDLEN
    "1018, 4, 40, 0000FFFF, 0000FFFF", // RDT
    "3200, 1, 0, FFFFFFFF, FFFFFFFF", // FCTTV
    "6000, 4, 40, FFFFFF80, FFFFFFFF", // TDBAL
    "6004, 4, 40, FFFFFFFF, FFFFFFFF", // TDBAH
    "6008, 4, 40, 000FFF80, 000FFF80", // TDLEN
    "3000, 1, 0, 00000001, 00000001", // RXCTRL
    "5400, 16, 8, FFFFFFFF, FFFFFFFF", // RAL
    "5404, 16, 8, 8001FFFF, 800CFFFF", // RAH
    "5200, 128, 4, FFFFFFFF, FFFFFFFF", // MTA
    "D000, 64, 40, FFFFFF80, FFFFFFFF", // RDBAL of queues 64..127
  })
  void shouldPassTheRegisterSelfTest(
      String first, int count, String stride, String compare, String write) {
    int compareMask = Integer.parseUnsignedInt(compare, 16);
    int writeMask = Integer.parseUnsignedInt(write, 16);
    for (int i = 0; i < count; i++) {
      int offset = Integer.parseInt(first, 16) + i * Integer.parseInt(stride, 16);
      for (int pattern : PATTERNS) {
        int before = registers.read(offset);

        registers.write(offset, pattern & writeMask);

        assertThat(registers.read(offset))
            .as("%x", offset)
            .isEqualTo(pattern & writeMask & compareMask);
        registers.set(offset, before);
      }
    }
  }

  // First offset, count, stride, the bits that a write of ones leaves set beyond the reset value.
  @ParameterizedTest
  @CsvSource({
    "0000, 1, 4, 0400000C", "0018, 1, 4, FFFFFFFF", "0020, 1, 4, FFFFFFFF",
    "0028, 1, 4, FFFFFFFF", "004C, 1, 4, 00000BFF", "0200, 1, 4, FFFFFFFF",
    "11000, 1, 4, FFFFFFFF", "11050, 1, 4, 80000003", "14F00, 1, 4, FFFFFFFF",
    "11068, 1, 4, FFFFFFFF", "110C4, 7, 4, FFFFFFFF", "1010, 64, 40, 0000FFFF",
    "1028, 64, 40, 46000000", "102C, 64, 40, 0000000F", "2100, 16, 4, 1FC03F7F",
    "D014, 64, 40, 1FC03F7F", "2200, 16, 4, FFFFFFFF", "2F00, 1, 4, FFFFFFFF",
    "2F04, 1, 4, FFFFFFFF", "32A0, 1, 4, 0000FFFF", "3D00, 1, 4, 00000018",
    "3200, 4, 4, FFFFFFFF", "3220, 8, 4, 8007FFF0", "3260, 8, 4, 8007FFF0",
    "3C00, 8, 4, 000FFC00", "5000, 1, 4, 00003000", "5008, 1, 4, FFFFFFFF",
    "5818, 1, 4, FFFFFFFF", "5C00, 32, 4, FFFFFFFF", "5C80, 10, 4, FFFFFFFF",
    "8D00, 1, 4, 00000003", "8D04, 1, 4, 00000001", "5080, 1, 4, 00000702",
    "5088, 1, 4, F000FFFF", "5090, 1, 4, 00000007", "A000, 128, 4, FFFFFFFF",
    "5128, 8, 4, FFFFFFFF", "A284, 111, 8, 8000FFFF", "5480, 16, 4, FFFFFFFF",
    "EA40, 48, 4, FFFFFFFF", "E000, 640, 4, FFFFFFFF", "EC00, 8, 4, FFFFFFFF",
    "EE0C, 8, 4, FFFFFFFF", "EE7C, 1, 4, FFFFFFFF", "EE00, 1, 4, FFFFFFFF",
    "6010, 128, 40, 0000FFFF", "6018, 128, 40, 0000FFFF", "6028, 128, 40, 067F7F7F",
    "6038, 128, 40, FFFFFFFD", "603C, 128, 40, FFFFFFFF", "600C, 128, 40, FFFFFFFF",
    "CC00, 8, 4, 000FFC00", "4950, 8, 4, 000003FF", "8100, 1, 4, 00000FFF",
    "8120, 1, 4, 0000000F", "4900, 1, 4, FFFFFFFF", "4A80, 1, 4, FFFF006B",
    "8800, 1, 4, 00000007", "8804, 1, 4, 00000001", "4240, 1, 4, FFFFFFFF",
    "4248, 1, 4, FFFFFFFF", "4268, 1, 4, FFFF0000", "4294, 1, 4, 00000FFF",
    "42A0, 1, 4, FFFFFFFF", "42A8, 1, 4, FFFFFFFF", "4330, 1, 4, FFFFFFFF",
    "42A4, 1, 4, 00000000"
  })
  void shouldKeepTheBitsThatExist(String first, int count, String stride, String bits) {
    for (int i = 0; i < count; i++) {
      int offset = Integer.parseInt(first, 16) + i * Integer.parseInt(stride, 16);

      registers.write(offset, 0xFFFFFFFF);

      assertThat(registers.read(offset))
          .as("%x", offset)
          .isEqualTo(Integer.parseUnsignedInt(bits, 16));
    }
  }

  @Test
  void shouldIgnoreWritesToTheStatusRegister() {
    int before = registers.read(NicRegisters.STATUS);

    for (int pattern : PATTERNS) {
      registers.write(NicRegisters.STATUS, pattern);
      assertThat(registers.read(NicRegisters.STATUS)).isEqualTo(before);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0008, 00080000", // STATUS: GIO master enable
    "1010, 0",
    "1018, 0",
    "6010, 0",
    "6018, 0", // the heads and tails that drivers check
    "1000, 0",
    "1008, 0",
    "6000, 0",
    "6008, 0",
    "1028, 0",
    "6028, 0",
    "2100, 00000402",
    "1414, 00000402",
    "D014, 00000402", // SRRCTL 0, 16, 64
    "3C00, 00080000",
    "3C04, 0",
    "CC00, 00028000",
    "CC04, 0", // 512 KiB and 160 KiB
    "2F00, 00000008", // RDRXCTL: DMAIDONE
    "4240, 00000403", // HLREG0: TXCRCEN, RXCRCSTRP, TXPADEN
    "4268, 05EE0000", // MAXFRS: 1518
    "42A4, 0",
    "5C00, 0",
    "3000, 0",
    "4A80, 81000000",
    "5088, 00008100",
    "5400, 00000002",
    "5404, 80000100", // 02:00:00:00:00:01, little endian, and AV
    "5408, 0",
    "8D04, 00000001",
    "8804, 00000001",
    "EE00, 00000008"
  })
  void shouldResetToTheValueOfTheDataSheet(String offset, String value) {
    int word = Integer.parseInt(offset, 16);
    registers.set(word, 0x12345678);

    registers.reset();

    assertThat(registers.read(word)).isEqualTo(Integer.parseUnsignedInt(value, 16));
  }

  @Test
  void shouldShowThePortNumberInTheStatusRegister() {
    RegisterFile second = new RegisterFile(NicConfig.NIC_82599.withPortIndex(1));

    assertThat(second.read(NicRegisters.STATUS)).isEqualTo(0x00080004);
  }

  @Test
  void shouldPutTheFirstAddressByteLowest() {
    RegisterFile nic = new RegisterFile(NicConfig.NIC_82599.withMacAddress(0x001B21AABBCCL));

    assertThat(nic.read(NicRegisters.ral(0))).isEqualTo(0xAA211B00);
    assertThat(nic.read(NicRegisters.rah(0))).isEqualTo(0x8000CCBB);
  }

  @ParameterizedTest
  @CsvSource({"2100, 1014", "213C, 13D4", "2200, 100C", "5400, A200", "5404, A204", "5480, EA00"})
  void shouldShowOneRegisterAtBothAddresses(String first, String second) {
    registers.write(Integer.parseInt(first, 16), 0x00000001);
    assertThat(registers.read(Integer.parseInt(second, 16)) & 1).isEqualTo(1);

    registers.write(Integer.parseInt(second, 16), 0x00000002);
    assertThat(registers.read(Integer.parseInt(first, 16)) & 3).isEqualTo(2);
  }

  @Test
  void shouldKeepReadOnlyBitsOnAWrite() {
    registers.write(NicRegisters.RDRXCTL, NicRegisters.RDRXCTL_CRCSTRIP);
    registers.write(NicRegisters.LINKS, -1);
    registers.write(0x0EE2C, 0x00000802);

    assertThat(registers.read(NicRegisters.RDRXCTL)).isEqualTo(0xA);
    assertThat(registers.read(NicRegisters.LINKS)).isZero();
    assertThat(registers.read(0x0EE2C)).isEqualTo(0x800);
  }

  @ParameterizedTest
  @CsvSource({"1020", "4B00", "1FFFC", "20000", "7FFFFFFC"})
  void shouldReadZeroWhereNothingIs(String offset) {
    int missing = Integer.parseInt(offset, 16);

    registers.write(missing, -1);

    assertThat(registers.read(missing)).isZero();
  }

  @Test
  void shouldIgnoreANegativeOffset() {
    registers.write(-4, -1);

    assertThat(registers.read(-4)).isZero();
  }

  @Test
  void shouldLetTheDeviceChangeReadOnlyBits() {
    registers.set(NicRegisters.LINKS, NicRegisters.LINKS_UP);
    registers.setBits(NicRegisters.LINKS, NicRegisters.LINKS_SPEED_10G);
    registers.clearBits(NicRegisters.STATUS, NicRegisters.STATUS_GIO);

    assertThat(registers.get(NicRegisters.LINKS)).isEqualTo(0x70000000);
    assertThat(registers.hasBits(NicRegisters.LINKS, NicRegisters.LINKS_UP)).isTrue();
    assertThat(registers.hasBits(NicRegisters.STATUS, NicRegisters.STATUS_GIO)).isFalse();
  }

  @Test
  void shouldJoinTheHalvesOfAnAddress() {
    registers.write(NicRegisters.rdbal(70), 0xFFFFFFFF);
    registers.write(NicRegisters.rdbah(70), 0x00000012);

    assertThat(registers.get64(NicRegisters.rdbal(70))).isEqualTo(0x12_FFFFFF80L);
  }

  @Test
  void shouldKeepPortsApart() {
    RegisterFile other = new RegisterFile(NicConfig.NIC_82599);

    registers.write(NicRegisters.mta(5), 0xCAFE);

    assertThat(other.read(NicRegisters.mta(5))).isZero();
  }

  @Test
  void shouldTellOfEveryChangeButThatOfATail() {
    long changes = registers.changesTotal();
    registers.write(NicRegisters.rdt(3), 5);
    registers.write(NicRegisters.tdt(127), 5);
    assertThat(registers.changesTotal()).isEqualTo(changes);

    registers.write(NicRegisters.FCTRL, 0);
    assertThat(registers.changesTotal()).isGreaterThan(changes);
    changes = registers.changesTotal();
    registers.set(NicRegisters.LINKS, 0);
    assertThat(registers.changesTotal()).isGreaterThan(changes);
    changes = registers.changesTotal();
    registers.setBits(NicRegisters.LINKS, NicRegisters.LINKS_UP);
    assertThat(registers.changesTotal()).isGreaterThan(changes);
    changes = registers.changesTotal();
    registers.clearBits(NicRegisters.LINKS, NicRegisters.LINKS_UP);
    assertThat(registers.changesTotal()).isGreaterThan(changes);
    changes = registers.changesTotal();
    registers.reset();
    assertThat(registers.changesTotal()).isGreaterThan(changes);
  }

  @Test
  void shouldAllocateNothing() {
    accessMany(1000);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long thread = Thread.currentThread().getId();

    long before = threads.getThreadAllocatedBytes(thread);
    accessMany(1_000_000);
    long allocatedBytes = threads.getThreadAllocatedBytes(thread) - before;

    assertThat(allocatedBytes).isLessThan(1024);
  }

  private void accessMany(int count) {
    for (int i = 0; i < count; i++) {
      int offset = NicRegisters.rdt(i & 127);
      registers.write(offset, registers.read(offset) + 1);
    }
  }
}
