package io.github.bellwire.iommu.layout;

/** Why a request has been blocked, in the words of one kind of IOMMU. */
public interface FaultCode {
  /** {@return the number that software is given, 1..FFh} */
  int code();

  /** {@return whether it is not recorded when the entry that was reached by then says so} */
  boolean isQualified();

  /**
   * {@return whether a device that asks for a translation is told that it has no rights, and nobody
   * else is told anything}
   */
  boolean isAnswer();
}
