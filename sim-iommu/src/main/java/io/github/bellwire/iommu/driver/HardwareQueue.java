package io.github.bellwire.iommu.driver;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.SpinLock;

/** A queue of commands that all cores share, and what has become of them. */
abstract class HardwareQueue implements Invalidator {
  /** The lock of the queue. */
  final SpinLock lock;

  /** Invalidations of pages. */
  long pageInvalidationsCount;

  /** Invalidations of whole domains. */
  long domainInvalidationsCount;

  /** Errors that the hardware has reported. */
  long errorsCount;

  /** Submissions that were given up because the hardware never answered. */
  long unansweredCount;

  private long submissionsCount;
  private long commandsCount;
  private long waitPsTotal;
  private long waitPsMax;

  HardwareQueue(SpinLock lock) {
    this.lock = lock;
  }

  /** Makes the hardware forget all translations. */
  abstract void invalidateAll(CpuPort port);

  final void onSubmit(int commands) {
    commandsCount += commands;
    submissionsCount++;
  }

  final void onWaited(long waitedPs) {
    waitPsTotal += waitedPs;
    waitPsMax = Math.max(waitPsMax, waitedPs);
  }

  final SpinLock lock() {
    return lock;
  }

  final long submissionsCount() {
    return submissionsCount;
  }

  final long commandsCount() {
    return commandsCount;
  }

  final long pageInvalidationsCount() {
    return pageInvalidationsCount;
  }

  final long domainInvalidationsCount() {
    return domainInvalidationsCount;
  }

  final long waitPsTotal() {
    return waitPsTotal;
  }

  final long waitPsMax() {
    return waitPsMax;
  }

  final long errorsCount() {
    return errorsCount;
  }

  final long unansweredCount() {
    return unansweredCount;
  }
}
