package io.github.bellwire.pcie;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A device with a translation cache, for tests; it answers invalidations as it is told to. */
final class AtsEndpoint implements Endpoint {
  static final int ATS = 0x100;
  static final int PRI = 0x110;
  static final int PASID = 0x120;

  final DeviceTlb tlb;
  final List<Response> responses = new ArrayList<>();
  // How long it takes to answer an invalidation; -1 for ever.
  long answersAfterPs;
  long invalidationArrivalPs;

  private final ConfigSpace configSpace =
      new ConfigSpaceBuilder(0x1AF4, 0x1002)
          .pcie(0x40, 5, 32, 4096, true)
          .addressTranslation(ATS, 32)
          .pageRequests(PRI, 64)
          .processAddressSpaces(PASID, 20)
          .build();
  private @Nullable DmaPort plain;
  private @Nullable TranslatingPort translating;

  record Response(int pasid, int groupIndex, int response, long arrivalPs) {}

  AtsEndpoint(DeviceTlbConfig config) {
    tlb = new DeviceTlb(config);
  }

  void enable() {
    configSpace.write(ConfigLayout.COMMAND, 2, ConfigLayout.COMMAND_BUS_MASTER_ENABLE);
    configSpace.write(ATS + AtsLayout.ATS_CONTROL, 2, AtsLayout.ATS_ENABLE);
  }

  DmaPort plain() {
    return Objects.requireNonNull(plain, "plain");
  }

  TranslatingPort dma() {
    return Objects.requireNonNull(translating, "translating");
  }

  @Override
  public ConfigSpace configSpace() {
    return configSpace;
  }

  @Override
  public void connect(DmaPort dma) {
    plain = dma;
    translating = new TranslatingPort(dma, configSpace, tlb);
  }

  @Override
  public long mmioRead(int bar, long offset, int sizeBytes, long nowPs) {
    return 0;
  }

  @Override
  public void mmioWrite(int bar, long offset, int sizeBytes, long value, long nowPs) {}

  @Override
  public long onInvalidateRequest(int pasid, long iova, long sizeBytes, long arrivalPs) {
    invalidationArrivalPs = arrivalPs;
    long donePs = tlb.invalidate(pasid, iova, sizeBytes, arrivalPs);
    return answersAfterPs < 0 ? -1 : donePs + answersAfterPs;
  }

  @Override
  public void onPageGroupResponse(int pasid, int groupIndex, int response, long arrivalPs) {
    responses.add(new Response(pasid, groupIndex, response, arrivalPs));
  }

  @Override
  public void reset(long nowPs) {
    configSpace.reset();
    tlb.clear();
  }
}
