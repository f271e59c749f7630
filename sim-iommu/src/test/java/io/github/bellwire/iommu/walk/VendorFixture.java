package io.github.bellwire.iommu.walk;

import io.github.bellwire.cache.DeviceCachePort;
import io.github.bellwire.iommu.layout.FaultCode;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.memory.CommitQueue;
import io.github.bellwire.memory.PhysicalMemory;
import io.github.bellwire.pcie.AddressType;
import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.pcie.TranslationRequest;
import io.github.bellwire.pcie.TranslationResult;
import java.util.ArrayList;
import java.util.List;

/** A translation unit of another architecture over 64 MiB, each read of which takes 100 ns. */
final class VendorFixture implements DeviceCachePort {
  static final long READ_PS = 100_000;
  static final int SOURCE = 0x0123;
  static final long MEMORY_BYTES = 64L << 20;
  static final long DEVICES = 0x100_0000;
  static final long DATA = 0x200_0000;

  final PhysicalMemory memory = new PhysicalMemory(MEMORY_BYTES, 0);
  final List<FaultCode> faults = new ArrayList<>();
  final TranslationUnit unit;
  final TranslationRequest request = new TranslationRequest();
  final TranslationResult result = new TranslationResult();
  int readsCount;

  VendorFixture(TableKind kind) {
    TranslationConfig config =
        new TranslationConfig(
            WalkFixture.EVERYTHING,
            new TranslationConfig.Iotlb(1, 8, 1, 1),
            new TranslationConfig.PagingCaches(4, 4, 4),
            4,
            4,
            new TranslationConfig.Walkers(2, 0, 0, 0, false),
            true);
    unit =
        new TranslationUnit(
            kind,
            config,
            new CommitQueue(new Simulation(1), memory),
            this,
            (reason, sourceId, pasid, address, isWrite, atPs) -> faults.add(reason));
    unit.setEnabled(true);
  }

  @Override
  public long read(long pa, int lengthBytes, boolean noSnoop, long atPs) {
    readsCount++;
    return atPs + READ_PS;
  }

  @Override
  public long write(long pa, int lengthBytes, boolean noSnoop, long atPs) {
    return atPs;
  }

  DmaStatus ask(int pasid, long iova, boolean isWrite, long atPs) {
    request.from(SOURCE, pasid, AddressType.UNTRANSLATED);
    request.access(iova, 64, isWrite, atPs);
    unit.translate(request, result);
    return result.status();
  }

  DmaStatus ask(long iova, boolean isWrite, long atPs) {
    return ask(TranslationRequest.NO_PASID, iova, isWrite, atPs);
  }

  /** Translates a read; returns how many reads of tables it takes. */
  int reads(long iova, long atPs) {
    int before = readsCount;
    ask(iova, false, atPs);
    return readsCount - before;
  }

  /** {@return the reason of the only fault of a request} */
  FaultCode faultOf(long iova, boolean isWrite) {
    faults.clear();
    ask(iova, isWrite, 1_000_000_000);
    return faults.isEmpty() ? null : faults.get(0);
  }
}
