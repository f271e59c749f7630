package io.github.bellwire.iommu;

import io.github.bellwire.pcie.AtsLayout;
import io.github.bellwire.pcie.ConfigLayout;
import io.github.bellwire.pcie.ConfigSpace;
import io.github.bellwire.pcie.ConfigSpaceBuilder;
import io.github.bellwire.pcie.DeviceTlb;
import io.github.bellwire.pcie.DeviceTlbConfig;
import io.github.bellwire.pcie.DmaPort;
import io.github.bellwire.pcie.Endpoint;
import io.github.bellwire.pcie.TranslatingPort;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A bus master without registers, which has a translation cache that it uses when asked to. */
final class TestDevice implements Endpoint {
  private static final int ATS = 0x100;
  private static final int PRI = 0x110;
  private static final int PASID = 0x120;

  record Response(int pasid, int groupIndex, int code) {}

  final DeviceTlb tlb = new DeviceTlb(DeviceTlbConfig.FULLY_ASSOCIATIVE_64);
  final List<Response> responses = new ArrayList<>();
  boolean answersInvalidations = true;

  private final ConfigSpace configSpace =
      new ConfigSpaceBuilder(0x1AF4, 0x1002)
          .pcie(0x40, 5, 32, 4096, true)
          .addressTranslation(ATS, 32)
          .pageRequests(PRI, 64)
          .processAddressSpaces(PASID, 20)
          .build();
  private @Nullable DmaPort dma;
  private @Nullable TranslatingPort translating;

  /** Lets it send requests of all kinds. */
  void enable() {
    configSpace.write(ConfigLayout.COMMAND, 2, ConfigLayout.COMMAND_BUS_MASTER_ENABLE);
    configSpace.write(ATS + AtsLayout.ATS_CONTROL, 2, AtsLayout.ATS_ENABLE);
    configSpace.write(PRI + AtsLayout.PRI_CONTROL, 2, AtsLayout.PRI_ENABLE);
    configSpace.write(PASID + AtsLayout.PASID_CONTROL, 2, AtsLayout.PASID_ENABLE);
  }

  /** {@return the way to memory without the translation cache} */
  DmaPort dma() {
    return Objects.requireNonNull(dma, "dma");
  }

  /** {@return the way to memory through the translation cache} */
  TranslatingPort translating() {
    return Objects.requireNonNull(translating, "translating");
  }

  @Override
  public ConfigSpace configSpace() {
    return configSpace;
  }

  @Override
  public void connect(DmaPort port) {
    dma = port;
    translating = new TranslatingPort(port, configSpace, tlb);
  }

  @Override
  public long mmioRead(int bar, long offset, int sizeBytes, long nowPs) {
    return 0;
  }

  @Override
  public void mmioWrite(int bar, long offset, int sizeBytes, long value, long nowPs) {}

  @Override
  public long onInvalidateRequest(int pasid, long iova, long sizeBytes, long arrivalPs) {
    long donePs = tlb.invalidate(pasid, iova, sizeBytes, arrivalPs);
    return answersInvalidations ? donePs : -1;
  }

  @Override
  public void onPageGroupResponse(int pasid, int groupIndex, int code, long arrivalPs) {
    responses.add(new Response(pasid, groupIndex, code));
  }

  @Override
  public void reset(long nowPs) {
    configSpace.reset();
    tlb.clear();
  }
}
