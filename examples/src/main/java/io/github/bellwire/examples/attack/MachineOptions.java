package io.github.bellwire.examples.attack;

import java.util.EnumSet;
import java.util.Set;

/**
 * What the machine of a row is like.
 *
 * @param accessControl services that are on at the switch port above the attacker
 * @param features what is not as usual
 */
record MachineOptions(int accessControl, Set<Feature> features) {
  /** What may be there or missing. */
  enum Feature {
    /** Attacker and victim use one domain where there are domains. */
    SHARED_DOMAIN,
    /** Software lets the attacker ask for translations, unless it is not trusted. */
    DEVICE_TLB,
    /** Interrupts are remapped where there is a unit for that. */
    INTERRUPT_REMAPPING,
    /** Firmware demands a region that the attacker always reaches. */
    RESERVED_REGION,
    /** Protection is enabled only when the row says so. */
    LATE_PROTECTION,
    /** Firmware keeps devices out of memory until then, where there is a unit for that. */
    FIRMWARE_PROTECTION,
    /** Bounce buffers are not filled when they are mapped. */
    NO_COPY_AT_MAP
  }

  static final MachineOptions PLAIN = new MachineOptions(0, EnumSet.noneOf(Feature.class));

  MachineOptions withAccessControl(int services) {
    return new MachineOptions(services, features);
  }

  MachineOptions with(Feature feature) {
    Set<Feature> more = EnumSet.copyOf(features);
    more.add(feature);
    return new MachineOptions(accessControl, more);
  }

  boolean has(Feature feature) {
    return features.contains(feature);
  }
}
