package io.github.bellwire.iommu.driver;

import io.github.bellwire.pcie.Bdf;
import io.github.bellwire.pcie.ConfigSpace;
import io.github.bellwire.pcie.ConfigSpaceBuilder;
import io.github.bellwire.pcie.DmaPort;
import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.pcie.Endpoint;
import io.github.bellwire.pcie.EnumeratedFunction;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A device that does nothing but DMA, when a test says so. */
final class BusMaster implements Endpoint {
  private final ConfigSpace configSpace =
      new ConfigSpaceBuilder(0x1AF4, 0x1000).pcie(0xA0, 4, 16, 4096, true).build();
  private @Nullable DmaPort dma;
  private @Nullable Bdf bdf;

  /** How long it takes to answer an invalidation; negative if it never does. */
  long answerPs = -1;

  final List<String> invalidations = new ArrayList<>();

  @Override
  public ConfigSpace configSpace() {
    return configSpace;
  }

  @Override
  public void connect(DmaPort port) {
    dma = port;
  }

  @Override
  public long mmioRead(int bar, long offset, int sizeBytes, long nowPs) {
    return 0;
  }

  @Override
  public void mmioWrite(int bar, long offset, int sizeBytes, long value, long nowPs) {}

  @Override
  public void reset(long nowPs) {
    configSpace.reset();
  }

  @Override
  public long onInvalidateRequest(int pasid, long iova, long sizeBytes, long arrivalPs) {
    invalidations.add(String.format("%x+%x", iova, sizeBytes));
    return answerPs < 0 ? -1 : arrivalPs + answerPs;
  }

  /** The host has found the device. */
  void enable(EnumeratedFunction function) {
    bdf = function.bdf();
    configSpace.write(0x04, 2, 6); // memory space, bus master
  }

  Bdf bdf() {
    return Objects.requireNonNull(bdf, "bdf");
  }

  int requesterId() {
    return bdf().requesterId();
  }

  DmaPort dma() {
    return Objects.requireNonNull(dma, "dma");
  }

  DmaStatus read(long iova, byte[] destination, long atPs) {
    dma().read(iova, destination, 0, destination.length, atPs);
    return dma().status();
  }

  DmaStatus write(long iova, byte[] source, long atPs) {
    dma().write(iova, source, 0, source.length, atPs);
    return dma().status();
  }
}
