package io.github.bellwire.examples.attack;

import io.github.bellwire.host.HostConfig;

/**
 * What the machine of a row is like.
 *
 * @param host the machine without devices
 * @param accessControl services that are on at the switch port above the attacker
 * @param sharesDomain whether attacker and victim use one domain where the mode has domains
 * @param hasDeviceTlb whether software lets the attacker ask for translations
 * @param remapsInterrupts whether interrupts are remapped where there is a unit for that
 * @param hasReservedRegion whether firmware demands a region that the attacker always reaches
 * @param isProtectedLate whether the unit is enabled only when the row says so
 * @param copiesAtMap whether bounce buffers are filled when they are mapped
 */
record MachineOptions(
    HostConfig host,
    int accessControl,
    boolean sharesDomain,
    boolean hasDeviceTlb,
    boolean remapsInterrupts,
    boolean hasReservedRegion,
    boolean isProtectedLate,
    boolean copiesAtMap) {
  static final MachineOptions PLAIN =
      new MachineOptions(HostConfig.GEN4_SERVER, 0, false, false, false, false, false, true);

  MachineOptions withHost(HostConfig newHost) {
    return new MachineOptions(
        newHost,
        accessControl,
        sharesDomain,
        hasDeviceTlb,
        remapsInterrupts,
        hasReservedRegion,
        isProtectedLate,
        copiesAtMap);
  }

  MachineOptions withAccessControl(int services) {
    return new MachineOptions(
        host,
        services,
        sharesDomain,
        hasDeviceTlb,
        remapsInterrupts,
        hasReservedRegion,
        isProtectedLate,
        copiesAtMap);
  }

  MachineOptions withSharedDomain() {
    return new MachineOptions(
        host,
        accessControl,
        true,
        hasDeviceTlb,
        remapsInterrupts,
        hasReservedRegion,
        isProtectedLate,
        copiesAtMap);
  }

  MachineOptions withDeviceTlb() {
    return new MachineOptions(
        host,
        accessControl,
        sharesDomain,
        true,
        remapsInterrupts,
        hasReservedRegion,
        isProtectedLate,
        copiesAtMap);
  }

  MachineOptions withInterruptRemapping() {
    return new MachineOptions(
        host,
        accessControl,
        sharesDomain,
        hasDeviceTlb,
        true,
        hasReservedRegion,
        isProtectedLate,
        copiesAtMap);
  }

  MachineOptions withReservedRegion() {
    return new MachineOptions(
        host,
        accessControl,
        sharesDomain,
        hasDeviceTlb,
        remapsInterrupts,
        true,
        isProtectedLate,
        copiesAtMap);
  }

  MachineOptions withLateProtection() {
    return new MachineOptions(
        host,
        accessControl,
        sharesDomain,
        hasDeviceTlb,
        remapsInterrupts,
        hasReservedRegion,
        true,
        copiesAtMap);
  }

  MachineOptions withoutCopyAtMap() {
    return new MachineOptions(
        host,
        accessControl,
        sharesDomain,
        hasDeviceTlb,
        remapsInterrupts,
        hasReservedRegion,
        isProtectedLate,
        false);
  }
}
