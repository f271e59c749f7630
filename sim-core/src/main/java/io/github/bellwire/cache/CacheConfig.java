package io.github.bellwire.cache;

/** What the caches of a machine are made of; which of the kinds it is decides how they behave. */
public sealed interface CacheConfig permits SimpleCacheConfig, CoherentCacheConfig {
  /** {@return the sockets, each with its own last-level cache and its own memory} */
  default int sockets() {
    return numa().sockets();
  }

  /** {@return which memory belongs to which socket, and how far they are apart} */
  default NumaConfig numa() {
    return NumaConfig.ONE_SOCKET;
  }
}
