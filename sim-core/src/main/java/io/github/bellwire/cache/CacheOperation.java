package io.github.bellwire.cache;

/** What software can do to the cached lines of a range. */
public enum CacheOperation {
  /** Write dirty lines back and keep them (DC CVAC, CLWB). */
  CLEAN,

  /**
   * Drop lines, dirty or not: what had not been written back is lost (DC IVAC). A line that the
   * range covers in part is written back first, as arm64 kernels do for the sake of its other data.
   * Servers with x86 cores have no such instruction; there every line is written back.
   */
  INVALIDATE,

  /** Write dirty lines back and drop all (DC CIVAC, CLFLUSH). */
  CLEAN_AND_INVALIDATE
}
