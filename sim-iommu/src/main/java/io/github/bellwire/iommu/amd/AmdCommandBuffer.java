package io.github.bellwire.iommu.amd;

import io.github.bellwire.host.RemappingPorts;
import io.github.bellwire.iommu.layout.AmdLayout;
import io.github.bellwire.iommu.queue.CommandConfig;
import io.github.bellwire.iommu.queue.CommandRing;
import io.github.bellwire.iommu.queue.DeviceTlbs;
import io.github.bellwire.iommu.walk.TranslationCaches;
import io.github.bellwire.pcie.TranslationRequest;

/** The command buffer (publication 48882, section 2.4). */
public final class AmdCommandBuffer extends CommandRing {
  private static final int PAGE_SHIFT = 12;
  private static final int DEVICE_MASK = 0xFFFF;

  /** No address here has more bits. */
  private static final int ADDRESS_BITS_MAX = 62;

  private static final long ADDRESSES = (1L << ADDRESS_BITS_MAX) - 1;

  private final TranslationCaches caches;
  private final AmdEventLog events;
  private final CompletionListener completions;

  /** Is told of completions that ask for an interrupt. */
  @FunctionalInterface
  interface CompletionListener {
    void onCompletion(long atPs);
  }

  AmdCommandBuffer(
      CommandConfig config,
      RemappingPorts ports,
      DeviceTlbs deviceTlbs,
      TranslationCaches caches,
      AmdEventLog events,
      CompletionListener completions) {
    super(config, ports, deviceTlbs);
    this.caches = caches;
    this.events = events;
    this.completions = completions;
  }

  @Override
  protected long execute(long word0, long word1, long pa, long atPs) {
    switch ((int) (word0 >>> AmdLayout.CODE_SHIFT)) {
      case AmdLayout.COMPLETION_WAIT:
        return await(word0, word1, atPs);
      case AmdLayout.INVALIDATE_DEVICE:
        int device = (int) word0 & DEVICE_MASK;
        caches.invalidateContextsOfRequester(device, 0, forgetConfiguration(atPs));
        return atPs;
      case AmdLayout.INVALIDATE_PAGES:
        invalidatePages(word0, word1, forgetTranslations(atPs));
        return atPs;
      case AmdLayout.INVALIDATE_DEVICE_TLB:
        return askDevice(word0, word1, atPs);
      case AmdLayout.INVALIDATE_INTERRUPTS:
        forgetConfiguration(atPs);
        return atPs;
      case AmdLayout.INVALIDATE_ALL:
        caches.invalidateContexts(forgetConfiguration(atPs));
        caches.invalidateIotlb(forgetTranslations(atPs));
        return atPs;
      default:
        stop();
        events.onCommand(AmdLayout.ILLEGAL_COMMAND, 0, pa, atPs);
        return atPs;
    }
  }

  private long await(long word0, long word1, long atPs) {
    long donePs = synchronize(atPs);
    long visiblePs = donePs;
    if ((word0 & AmdLayout.WAIT_STORE) != 0) {
      visiblePs = write(word0 & AmdLayout.WAIT_ADDRESS_MASK, word1, Long.BYTES, donePs);
    }
    if ((word0 & AmdLayout.WAIT_INTERRUPT) != 0) {
      completions.onCompletion(visiblePs);
    }
    return donePs;
  }

  private void invalidatePages(long word0, long word1, long atPs) {
    int domainId = (int) (word0 >>> AmdLayout.DOMAIN_SHIFT) & AmdLayout.DOMAIN_MASK;
    boolean isLeafOnly = (word1 & AmdLayout.PAGES_DIRECTORIES) == 0;
    int shift = rangeShift(word1);
    if (shift >= ADDRESS_BITS_MAX && !isLeafOnly) {
      caches.invalidateIotlbOfDomain(domainId, atPs);
      return;
    }
    int pagesShift = Math.min(shift, Long.SIZE) - PAGE_SHIFT;
    long address = word1 & AmdLayout.PAGES_ADDRESS_MASK;
    caches.invalidateIotlbPages(domainId, address, pagesShift, isLeafOnly, atPs);
  }

  private static int rangeShift(long word1) {
    return (word1 & AmdLayout.PAGES_SIZE) == 0 ? PAGE_SHIFT : AmdLayout.sizeShift(word1);
  }

  private long askDevice(long word0, long word1, long atPs) {
    int device = (int) word0 & DEVICE_MASK;
    int shift = Math.min(ADDRESS_BITS_MAX, rangeShift(word1));
    long address = word1 & AmdLayout.PAGES_ADDRESS_MASK & -1L << shift & ADDRESSES;
    long givenUpPs = askDevice(device, TranslationRequest.NO_PASID, address, 1L << shift, atPs);
    if (givenUpPs >= 0) {
      events.onCommand(AmdLayout.DEVICE_TLB_TIMEOUT, device, address, givenUpPs);
    }
    return atPs;
  }

  @Override
  protected void onUnreadable(long pa, long atPs) {
    events.onCommand(AmdLayout.COMMAND_ERROR, 0, pa, atPs);
  }
}
