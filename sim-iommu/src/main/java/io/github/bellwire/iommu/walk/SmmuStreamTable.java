package io.github.bellwire.iommu.walk;

import io.github.bellwire.iommu.layout.FaultCode;
import io.github.bellwire.iommu.layout.SmmuEvent;
import io.github.bellwire.iommu.layout.SmmuTableLayout;
import io.github.bellwire.pcie.TranslationRequest;
import org.jspecify.annotations.Nullable;

/**
 * Stream table and context descriptors of SMMUv3: a stream table entry of 64 bytes, by one read or
 * two, says where the context descriptor of 64 bytes is, which says where the tables are. The
 * configuration cache remembers both together, as one entry for each stream and substream.
 */
final class SmmuStreamTable extends ContextSource {
  /** Bits of the smallest page, by the field TG0. */
  static final int[] GRANULE_SHIFTS = {12, 16, 14};

  private static final int INPUT_BITS = 64;

  private long tablePa;
  private int streamBits;
  private int splitBits;
  private boolean hasTwoLevels;

  SmmuStreamTable(
      TranslationConfig config,
      TableReader reader,
      TranslationCaches caches,
      TranslationStatistics statistics) {
    super(config, reader, caches, statistics);
  }

  @Override
  void setTables(long pa, long shape) {
    tablePa = pa & SmmuTableLayout.TABLE_MASK;
    streamBits = Math.min(Integer.SIZE, (int) shape & SmmuTableLayout.STREAM_BITS_MASK);
    splitBits = (int) (shape >>> SmmuTableLayout.SPLIT_SHIFT) & SmmuTableLayout.SPLIT_MASK;
    hasTwoLevels = (shape >>> SmmuTableLayout.FORMAT_SHIFT & 1) != 0;
  }

  @Override
  @Nullable DeviceContext find(TranslationRequest request) {
    begin(request);
    int stream = request.requesterId();
    int substream = request.pasid();
    long tag = substream + 1L; // 0 stands for none.
    int slot = findRemembered(caches.contexts, tag, stream);
    if (slot == EntryTable.NONE) {
      slot = read(stream, substream, tag);
      if (slot == EntryTable.NONE) {
        return null;
      }
    } else {
      statistics.contextHits++;
    }
    DeviceContext context = caches.contextEntries[slot];
    isFaultSilent = context.isFaultSilent;
    return context;
  }

  private int read(int stream, int substream, long tag) {
    long pa = entryPa(stream);
    if (fault != null || !readEntry(pa, SmmuTableLayout.ENTRY_BYTES, SmmuEvent.STREAM_FETCH)) {
      return EntryTable.NONE;
    }
    long word0 = reader.entry(pa);
    long word1 = reader.entry(pa + Long.BYTES);
    int config = (int) (word0 >>> SmmuTableLayout.CONFIG_SHIFT) & SmmuTableLayout.CONFIG_MASK;
    if ((word0 & SmmuTableLayout.STREAM_VALID) == 0) {
      return refused(SmmuEvent.BAD_STREAM_ENTRY);
    }
    if (config < SmmuTableLayout.CONFIG_BYPASS) {
      isFaultSilent = true; // All is aborted, and nobody is told.
      return refused(SmmuEvent.TRANSLATION);
    }
    if (config == SmmuTableLayout.CONFIG_BYPASS) {
      return substream == TranslationRequest.NO_PASID
          ? insertBypass(stream, tag)
          : refused(SmmuEvent.BAD_SUBSTREAM_ID);
    }
    int substreamBits = (int) (word0 >>> SmmuTableLayout.SUBSTREAM_BITS_SHIFT);
    boolean isTwoLevelContext = (word0 >>> SmmuTableLayout.CONTEXT_FORMAT_SHIFT & 3) != 0;
    if (config > SmmuTableLayout.CONFIG_STAGE_1
        || substreamBits > maxSubstreamBits()
        || substreamBits > 0 && isTwoLevelContext) {
      return refused(SmmuEvent.BAD_STREAM_ENTRY);
    }
    return readContext(stream, substream, tag, word0, word1, substreamBits);
  }

  private int maxSubstreamBits() {
    return capabilities.isScalable() ? 20 : 0;
  }

  private long entryPa(int stream) {
    if (streamBits < Integer.SIZE && stream >>> streamBits != 0) {
      fault = SmmuEvent.BAD_STREAM_ID;
      return 0;
    }
    if (!hasTwoLevels) {
      return tablePa + (long) stream * SmmuTableLayout.ENTRY_BYTES;
    }
    long firstPa = tablePa + (long) (stream >>> splitBits) * Long.BYTES;
    if (!readEntry(firstPa, Long.BYTES, SmmuEvent.STREAM_FETCH)) {
      return 0;
    }
    long first = reader.entry(firstPa);
    int span = (int) first & SmmuTableLayout.SPAN_MASK;
    int index = stream & (1 << splitBits) - 1;
    if (span == 0 || index >= 1L << span - 1) {
      fault = SmmuEvent.BAD_STREAM_ID;
    }
    return (first & SmmuTableLayout.TABLE_MASK) + (long) index * SmmuTableLayout.ENTRY_BYTES;
  }

  private int readContext(
      int stream, int substream, long tag, long word0, long word1, int substreamBits) {
    int index = substream;
    if (substream == TranslationRequest.NO_PASID) {
      index = 0;
      int rule = (int) word1 & SmmuTableLayout.DEFAULT_MASK;
      if (substreamBits > 0 && rule == SmmuTableLayout.DEFAULT_BYPASS) {
        return insertBypass(stream, tag);
      }
      if (substreamBits > 0 && rule != SmmuTableLayout.DEFAULT_SUBSTREAM_0) {
        return refused(SmmuEvent.STREAM_DISABLED);
      }
    } else if (index >>> substreamBits != 0
        || substreamBits == 0
        || index == 0 && (word1 & SmmuTableLayout.DEFAULT_SUBSTREAM_0) != 0) {
      return refused(SmmuEvent.BAD_SUBSTREAM_ID);
    }
    long pa = (word0 & SmmuTableLayout.TABLE_MASK) + (long) index * SmmuTableLayout.ENTRY_BYTES;
    if (!readEntry(pa, SmmuTableLayout.ENTRY_BYTES, SmmuEvent.CONTEXT_FETCH)) {
      return EntryTable.NONE;
    }
    long deviceTlb = word1 >>> SmmuTableLayout.DEVICE_TLB_SHIFT & 3;
    boolean hasDeviceTlb =
        capabilities.hasDeviceTlbs() && deviceTlb == SmmuTableLayout.DEVICE_TLB_FULL;
    return decode(stream, tag, reader.entry(pa), reader.entry(pa + Long.BYTES), hasDeviceTlb);
  }

  private int decode(int stream, long tag, long low, long high, boolean hasDeviceTlb) {
    int inputSize = (int) low & SmmuTableLayout.INPUT_SIZE_MASK;
    int granule = (int) (low >>> SmmuTableLayout.GRANULE_SHIFT) & SmmuTableLayout.GRANULE_MASK;
    long root = high & SmmuTableLayout.ROOT_MASK;
    if ((low & SmmuTableLayout.CONTEXT_VALID) == 0
        || (low & SmmuTableLayout.CONTEXT_AARCH64) == 0
        || (low & SmmuTableLayout.CONTEXT_BIG_ENDIAN) != 0
        || inputSize < SmmuTableLayout.INPUT_SIZE_MIN
        || inputSize > SmmuTableLayout.INPUT_SIZE_MAX
        || granule == GRANULE_SHIFTS.length
        || root >>> capabilities.hostAddressBits() != 0) {
      return refused(SmmuEvent.BAD_CONTEXT);
    }
    int inputBits = INPUT_BITS - inputSize;
    int granuleShift = GRANULE_SHIFTS[granule];
    int levelBits = granuleShift - 3;
    int slot = insert(stream, tag, EntryTag.ofDomain((int) (low >>> SmmuTableLayout.ASID_SHIFT)));
    DeviceContext context = caches.contextEntries[slot];
    context.kind = DeviceContext.Kind.SECOND_LEVEL;
    context.isFaultSilent = (low & SmmuTableLayout.CONTEXT_RECORDS) == 0;
    context.hasDeviceTlb = hasDeviceTlb;
    context.format = granule;
    context.secondRoot = root;
    context.secondLevels = (inputBits - granuleShift + levelBits - 1) / levelBits;
    // A disabled table maps nothing: no address is narrow enough.
    context.inputBits = (low & SmmuTableLayout.CONTEXT_DISABLED) != 0 ? 0 : inputBits;
    return slot;
  }

  private int insertBypass(int stream, long tag) {
    int slot = insert(stream, tag, 0);
    DeviceContext context = caches.contextEntries[slot];
    context.kind = DeviceContext.Kind.PASS_THROUGH;
    context.isFaultSilent = false;
    context.hasDeviceTlb = false;
    return slot;
  }

  private int insert(int stream, long tag, long owner) {
    int slot = insert(caches.contexts, caches.pendingContexts, tag, stream, owner);
    DeviceContext context = caches.contextEntries[slot];
    context.domainId = EntryTag.domain(owner);
    context.tag = owner;
    context.deviceRights = PageTableFormat.ALL_RIGHTS;
    return slot;
  }

  private boolean readEntry(long pa, int lengthBytes, SmmuEvent ifNowhere) {
    if (!reader.isReadable(pa, lengthBytes)) {
      fault = ifNowhere;
      return false;
    }
    readyPs = reader.readPs(pa, lengthBytes, readyPs);
    return true;
  }

  private int refused(SmmuEvent reason) {
    fault = reason;
    return EntryTable.NONE;
  }

  @Override
  FaultCode deviceTlbDisabled() {
    return SmmuEvent.BAD_TRANSLATION_REQUEST;
  }

  @Override
  FaultCode beyondWidth() {
    return SmmuEvent.ADDRESS_SIZE;
  }

  @Override
  @Nullable FaultCode interruptRange() {
    return null; // Messages are writes to a page like any other.
  }

  @Override
  FaultCode pageRequestDenied(DeviceContext context) {
    return SmmuEvent.BAD_TRANSLATION_REQUEST;
  }
}
