package io.github.bellwire.iommu;

import io.github.bellwire.host.RemappingPorts;
import io.github.bellwire.iommu.queue.CommandRing;
import io.github.bellwire.iommu.queue.RecordRing;
import io.github.bellwire.iommu.walk.TranslationUnit;
import io.github.bellwire.pcie.DmaStatus;
import io.github.bellwire.pcie.IntegratedRegisters;
import io.github.bellwire.pcie.TranslationRequest;
import io.github.bellwire.pcie.TranslationResult;
import io.github.bellwire.stats.StatsRegistry;
import java.util.function.BooleanSupplier;

/** An IOMMU with a ring of commands and a ring of events; interrupt messages pass it. */
final class VendorCore implements IommuCore {
  private final RemappingPorts ports;
  private final IntegratedRegisters registers;
  private final TranslationUnit translation;
  private final CommandRing commands;
  private final RecordRing events;
  private final BooleanSupplier abortsAll;

  VendorCore(
      RemappingPorts ports,
      IntegratedRegisters registers,
      TranslationUnit translation,
      CommandRing commands,
      RecordRing events,
      BooleanSupplier abortsAll) {
    this.ports = ports;
    this.registers = registers;
    this.translation = translation;
    this.commands = commands;
    this.events = events;
    this.abortsAll = abortsAll;
  }

  @Override
  public IntegratedRegisters registers() {
    return registers;
  }

  @Override
  public void translate(TranslationRequest request, TranslationResult result) {
    if (abortsAll.getAsBoolean()) {
      result.refused(DmaStatus.UNSUPPORTED_REQUEST, request.atPs());
    } else {
      translation.translate(request, result);
    }
  }

  @Override
  public void onMessage(int requesterId, long address, int data, long atPs) {
    ports.interrupts().onMessage(requesterId, address, data, atPs);
  }

  @Override
  public TranslationUnit translation() {
    return translation;
  }

  @Override
  public long faultsTotal() {
    return events.arrivedTotal();
  }

  @Override
  public long recordedTotal() {
    return events.recordedTotal();
  }

  @Override
  public long droppedTotal() {
    return events.droppedTotal();
  }

  @Override
  public void registerCounters(StatsRegistry registry, String prefix) {
    registry.register(prefix + ".queue_descriptors_count", commands::commandsTotal);
    registry.register(prefix + ".queue_busy_ps", commands::busyPsTotal);
    registry.register(prefix + ".queue_errors_count", commands::errorsTotal);
    registry.register(prefix + ".queue_timeouts_count", commands::timeoutsTotal);
  }
}
