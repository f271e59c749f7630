package io.github.bellwire.cache;

/** What the caches of a machine are made of; which of the kinds it is decides how they behave. */
public sealed interface CacheConfig
    permits SimpleCacheConfig, CoherentCacheConfig, EmbeddedCacheConfig {
  /** {@return the sockets, each with its own last-level cache and its own memory} */
  default int sockets() {
    return numa().sockets();
  }

  /** {@return which memory belongs to which socket, and how far they are apart} */
  default NumaConfig numa() {
    return NumaConfig.ONE_SOCKET;
  }

  /**
   * {@return whether devices see what cores have written, and the other way round, by themselves}
   */
  default boolean isCoherent() {
    return true;
  }
}
