package io.github.bellwire.iommu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bellwire.iommu.interrupt.InterruptConfig;
import io.github.bellwire.iommu.queue.InvalidationConfig;
import io.github.bellwire.iommu.queue.RegisterConfig;
import io.github.bellwire.pcie.Bdf;
import java.util.List;
import org.junit.jupiter.api.Test;

class IommuConfigTest {
  private static final RegisterConfig REGISTERS = RegisterConfig.XEON_E5;
  private static final InvalidationConfig QUEUE = InvalidationConfig.XEON;

  @Test
  void shouldNameEveryPresetOnce() {
    assertThat(IommuPresets.all())
        .extracting(IommuConfig::name)
        .doesNotHaveDuplicates()
        .contains("xeon-e5-bdw", "cascade-lake", "ice-lake");
  }

  @Test
  void shouldChangeOnePartAtATime() {
    IommuConfig config = IommuPresets.BDW;
    ReservedRegion region = new ReservedRegion(new Bdf(0, 2, 0), 0x7C00_0000, 0x20_0000);
    IommuConfig changed =
        config
            .withName("mine")
            .withRegisters(REGISTERS.withFaultRecordsCount(1).withBaseAddress(0xFEDA_0000L))
            .withTranslation(IommuPresets.SNB.translation())
            .withInvalidation(QUEUE.withIotlbPs(1).withDeviceTlbTimeoutPs(2_000_000))
            .withInterrupts(new InterruptConfig(1, 0))
            .withReservedRegions(List.of(region));
    assertThat(changed)
        .isEqualTo(
            new IommuConfig(
                "mine",
                new RegisterConfig(0xFEDA_0000L, 0x10, 1, 16, true, false),
                IommuPresets.SNB.translation(),
                new InvalidationConfig(
                    QUEUE.contextPs(),
                    1,
                    QUEUE.pasidPs(),
                    QUEUE.interruptEntryPs(),
                    QUEUE.issuePs(),
                    2_000_000,
                    18),
                new InterruptConfig(1, 0),
                List.of(region)));
  }

  @Test
  void shouldRejectPageRequestsWithoutDeviceTlbs() {
    var can = IommuPresets.BDW.translation().capabilities();
    var without =
        new io.github.bellwire.iommu.walk.TranslationConfig.Capabilities(
            can.hostAddressBits(), can.addressWidths(), can.superPages(), true, false, true, true);
    IommuConfig config =
        IommuPresets.BDW.withTranslation(IommuPresets.BDW.translation().withCapabilities(without));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> config.withRegisters(REGISTERS.withPageRequests(true)))
        .withMessage("hasPageRequests must be false without device TLBs: hasPageRequests=true");
  }

  @Test
  void shouldRejectRegionsThatAreNotMadeOfPages() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ReservedRegion(null, 1, 4096))
        .withMessage("pa must be a multiple of 4 KiB: pa=1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ReservedRegion(null, 0, 0))
        .withMessage("lengthBytes must be a multiple of 4 KiB: lengthBytes=0");
    assertThatIllegalArgumentException().isThrownBy(() -> new ReservedRegion(null, -4096, 4096));
    assertThatIllegalArgumentException().isThrownBy(() -> new ReservedRegion(null, 0, 4097));
  }

  @Test
  void shouldRejectRegistersOutOfBounds() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> REGISTERS.withBaseAddress(0x800))
        .withMessage("baseAddress must be a multiple of 4 KiB: baseAddress=2048");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> REGISTERS.withFaultRecordsCount(0))
        .withMessage("faultRecordsCount must be 1..128: faultRecordsCount=0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> REGISTERS.withFaultRecordsCount(129))
        .withMessage("faultRecordsCount must be 1..128: faultRecordsCount=129");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new RegisterConfig(0, 256, 1, 16, true, false))
        .withMessage("version must be 0..255: version=256");
    for (int bits : new int[] {2, 5, 18}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new RegisterConfig(0, 16, 1, bits, true, false))
          .withMessage("domainIdBits must be even and 4..16: domainIdBits=" + bits);
    }
  }

  @Test
  void shouldRejectTimesOutOfBounds() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> QUEUE.withIotlbPs(-1))
        .withMessage("iotlbPs must be 0..1000000000: iotlbPs=-1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> QUEUE.withDeviceTlbTimeoutPs(999_999))
        .withMessage(
            "deviceTlbTimeoutPs must be 1000000..90000000000000: deviceTlbTimeoutPs=999999");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new InvalidationConfig(-1, 0, 0, 0, 0, 1_000_000, 0))
        .withMessage("contextPs must be 0..1000000000: contextPs=-1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new InvalidationConfig(0, 0, -1, 0, 0, 1_000_000, 0))
        .withMessage("pasidPs must be 0..1000000000: pasidPs=-1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new InvalidationConfig(0, 0, 0, -1, 0, 1_000_000, 0))
        .withMessage("interruptEntryPs must be 0..1000000000: interruptEntryPs=-1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new InvalidationConfig(0, 0, 0, 0, -1, 1_000_000, 0))
        .withMessage("issuePs must be 0..1000000000: issuePs=-1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new InvalidationConfig(0, 0, 0, 0, 0, 1_000_000, 53))
        .withMessage("addressMaskMax must be 0..52: addressMaskMax=53");
  }
}
