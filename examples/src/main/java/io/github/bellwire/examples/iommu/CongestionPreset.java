package io.github.bellwire.examples.iommu;

import io.github.bellwire.host.HostConfig;
import io.github.bellwire.iommu.IommuConfig;
import io.github.bellwire.iommu.driver.IommuDriverConfig;
import io.github.bellwire.iommu.driver.MappingPolicy;

/**
 * A published receive experiment.
 *
 * @param host the machine
 * @param iommu its IOMMU
 * @param system how the operating system drives it
 * @param policy of mappings
 * @param bitsPerSecond of the wire
 * @param mtuBytes of the network
 * @param ringFrames that a receive ring has as the administrator sees it
 * @param channels that the driver sets up, one per core
 * @param activeChannels of these that flows come in through
 * @param flows that are received
 * @param moderationNs from a completion to its event
 * @param bufferBytes of the adapter
 */
record CongestionPreset(
    HostConfig host,
    IommuConfig iommu,
    IommuDriverConfig system,
    MappingPolicy policy,
    long bitsPerSecond,
    int mtuBytes,
    int ringFrames,
    int channels,
    int activeChannels,
    int flows,
    long moderationNs,
    int bufferBytes) {

  CongestionPreset withTraffic(int newFlows, int newMtuBytes, int newRingFrames) {
    return new CongestionPreset(
        host,
        iommu,
        system,
        policy,
        bitsPerSecond,
        newMtuBytes,
        newRingFrames,
        channels,
        activeChannels,
        newFlows,
        moderationNs,
        bufferBytes);
  }

  CongestionPreset withPolicy(MappingPolicy newPolicy) {
    return new CongestionPreset(
        host,
        iommu,
        system,
        newPolicy,
        bitsPerSecond,
        mtuBytes,
        ringFrames,
        channels,
        activeChannels,
        flows,
        moderationNs,
        bufferBytes);
  }

  CongestionPreset withSystem(IommuDriverConfig newSystem) {
    return new CongestionPreset(
        host,
        iommu,
        newSystem,
        policy,
        bitsPerSecond,
        mtuBytes,
        ringFrames,
        channels,
        activeChannels,
        flows,
        moderationNs,
        bufferBytes);
  }
}
