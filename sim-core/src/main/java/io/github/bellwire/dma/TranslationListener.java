package io.github.bellwire.dma;

/**
 * Hears what only an IOMMU and its driver know, as a checker does: bus addresses that are in use,
 * page tables that caches contradict, flushes. Called on the simulation thread.
 */
public interface TranslationListener {
  /**
   * A request is about to be served from a cache although the page tables say something else by
   * now. Told before the access itself takes place.
   *
   * @param requesterId who accesses
   * @param iova first byte
   * @param atPs when, in picoseconds
   */
  void onStaleTranslation(int requesterId, long iova, long atPs);

  /**
   * An entry that may be cached has been changed, and the caller goes on without having invalidated
   * it or put it into a queue for that.
   *
   * @param requesterId a device of the domain
   * @param iova first byte that the entry maps
   * @param lengthBytes bytes that it maps
   * @param atPs when, in picoseconds
   */
  void onChangeWithoutInvalidation(int requesterId, long iova, long lengthBytes, long atPs);

  /**
   * A range of bus addresses has been allocated.
   *
   * @param requesterId a device of the domain
   * @param iova first byte
   * @param lengthBytes at least 1
   * @param atPs when, in picoseconds
   */
  void onIovaAllocated(int requesterId, long iova, long lengthBytes, long atPs);

  /**
   * A range has gone from the tables, but caches may serve it until a flush that is still to come.
   *
   * @param requesterId a device of the domain
   * @param iova as allocated
   * @param atPs when, in picoseconds
   */
  default void onFlushAwaited(int requesterId, long iova, long atPs) {}

  /**
   * A range of bus addresses may be used again.
   *
   * @param requesterId a device of the domain
   * @param iova as allocated
   * @param atPs when, in picoseconds
   */
  void onIovaFreed(int requesterId, long iova, long atPs);

  /**
   * A cache has been flushed as a whole.
   *
   * @param requesterId a device of the domain; any if all domains are flushed
   * @param changesCount entries changed since the last flush that are not invalidated yet
   * @param atPs when, in picoseconds
   */
  void onGlobalFlush(int requesterId, long changesCount, long atPs);
}
