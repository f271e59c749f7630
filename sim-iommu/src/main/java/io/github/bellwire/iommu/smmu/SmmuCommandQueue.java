package io.github.bellwire.iommu.smmu;

import static io.github.bellwire.iommu.layout.SmmuLayout.*;

import io.github.bellwire.host.RemappingPorts;
import io.github.bellwire.iommu.layout.SmmuLayout;
import io.github.bellwire.iommu.queue.CommandConfig;
import io.github.bellwire.iommu.queue.CommandRing;
import io.github.bellwire.iommu.queue.DeviceTlbs;
import io.github.bellwire.iommu.walk.TranslationCaches;
import io.github.bellwire.pcie.InterruptSink;
import io.github.bellwire.pcie.TranslationRequest;

/** The command queue (Arm IHI 0070, chapter 4). */
public final class SmmuCommandQueue extends CommandRing {
  private static final int PAGE_SHIFT = 12;
  private static final int PAGE_BITS_MAX = 52;
  private static final int ADDRESS_BITS_MAX = 62;
  private static final int RANGE_ALL = 31;
  private static final int REQUESTER_ID = 0;
  private static final int INTERRUPT_SHIFT = 20;
  private static final long INTERRUPT_RANGE = 0xFEE;

  private final TranslationCaches caches;
  private final InterruptSink interrupts;
  private final ErrorListener errors;
  private int error;
  private boolean deviceTimedOut;

  /** Is told of commands that are in error. */
  @FunctionalInterface
  interface ErrorListener {
    void onError(long atPs);
  }

  SmmuCommandQueue(
      CommandConfig config,
      RemappingPorts ports,
      DeviceTlbs deviceTlbs,
      TranslationCaches caches,
      ErrorListener errors) {
    super(config, ports, deviceTlbs);
    this.caches = caches;
    this.errors = errors;
    interrupts = ports.interrupts();
  }

  /** {@return the error that the consumer register shows} */
  int error() {
    return error;
  }

  @Override
  protected long execute(long word0, long word1, long pa, long atPs) {
    int stream = (int) (word0 >>> STREAM_SHIFT);
    int asid = (int) (word0 >>> ASID_SHIFT);
    switch ((int) word0 & CODE_MASK) {
      case PREFETCH_CONFIG, PREFETCH_ADDRESS -> {
        return atPs; // Hints.
      }
      case CFGI_STE, CFGI_CD, CFGI_CD_ALL ->
          caches.invalidateContextsOfRequester(stream, 0, forgetConfiguration(atPs));
      case CFGI_STE_RANGE -> forgetStreams(stream, (int) word1 & CFGI_RANGE_MASK, atPs);
      case TLBI_NH_ASID -> caches.invalidateIotlbOfDomain(asid, forgetTranslations(atPs));
      case TLBI_NH_VA -> forgetAddresses(asid, word0, word1, forgetTranslations(atPs));
      case TLBI_NSNH_ALL -> caches.invalidateIotlb(forgetTranslations(atPs));
      case ATC_INV -> {
        return askDevice(stream, word0, word1, atPs);
      }
      case SYNC -> {
        return synchronize(word0, word1, atPs);
      }
      default -> fail(ERROR_ILLEGAL, atPs);
    }
    return atPs;
  }

  private void forgetStreams(int stream, int range, long atPs) {
    if (range == RANGE_ALL) {
      caches.invalidateContexts(forgetConfiguration(atPs));
    } else {
      int ignored = (int) ((1L << range + 1) - 1);
      caches.invalidateContextsOfRequester(stream, ignored, forgetConfiguration(atPs));
    }
  }

  /** A range is (NUM + 1) * 2^SCALE granules; it is taken apart into aligned powers of two. */
  private void forgetAddresses(int asid, long word0, long word1, long atPs) {
    boolean isLeafOnly = (word1 & TLBI_LEAF) != 0;
    long address = word1 & ADDRESS_MASK;
    int granule = (int) (word1 >>> GRANULE_SHIFT) & GRANULE_MASK;
    if (granule == 0) {
      caches.invalidateIotlbPages(asid, address, 0, isLeafOnly, atPs);
      return;
    }
    int scale = (int) (word0 >>> RANGE_SCALE_SHIFT) & RANGE_MASK;
    long number = (word0 >>> RANGE_NUMBER_SHIFT & RANGE_MASK) + 1;
    long pages = number << scale + 2 * granule - 2;
    long page = address >>> PAGE_SHIFT & -1L << 2 * granule - 2;
    while (pages > 0) {
      int shift =
          Math.min(
              Long.numberOfTrailingZeros(page | 1L << PAGE_BITS_MAX),
              Long.SIZE - 1 - Long.numberOfLeadingZeros(pages));
      caches.invalidateIotlbPages(asid, page << PAGE_SHIFT, shift, isLeafOnly, atPs);
      page += 1L << shift;
      pages -= 1L << shift;
    }
  }

  private long askDevice(int stream, long word0, long word1, long atPs) {
    // No address here has more bits than this.
    int shift = Math.min(ADDRESS_BITS_MAX, PAGE_SHIFT + ((int) word1 & ATC_SIZE_MASK));
    boolean hasPasid = (word0 & SUBSTREAM_VALID) != 0;
    int pasid =
        hasPasid ? (int) (word0 >>> SUBSTREAM_SHIFT) & SUBSTREAM_MASK : TranslationRequest.NO_PASID;
    long address = word1 & ADDRESS_MASK & -1L << shift & (1L << ADDRESS_BITS_MAX) - 1;
    long givenUpPs = askDevice(stream, pasid, address, 1L << shift, atPs);
    if (givenUpPs >= 0) {
      deviceTimedOut = true;
    }
    return atPs;
  }

  private long synchronize(long word0, long word1, long atPs) {
    long donePs = synchronize(atPs);
    if (deviceTimedOut) {
      deviceTimedOut = false;
      fail(ERROR_DEVICE_TIMEOUT, donePs);
      return donePs;
    }
    int signal = (int) (word0 >>> SYNC_SIGNAL_SHIFT) & SYNC_SIGNAL_MASK;
    long address = word1 & SYNC_ADDRESS_MASK;
    if (signal == SYNC_SIGNAL_MESSAGE && address != 0) {
      int data = (int) (word0 >>> SYNC_DATA_SHIFT);
      if (address >>> INTERRUPT_SHIFT == INTERRUPT_RANGE) {
        interrupts.onMessage(REQUESTER_ID, address, data, donePs);
      } else {
        write(address, data, Integer.BYTES, donePs);
      }
    }
    return donePs;
  }

  private void fail(int newError, long atPs) {
    stop();
    error = newError;
    errors.onError(atPs);
  }

  @Override
  protected void onUnreadable(long pa, long atPs) {
    error = SmmuLayout.ERROR_ABORT;
    errors.onError(atPs);
  }
}
