package io.github.bellwire.dma;

import io.github.bellwire.cpu.CpuPort;

/**
 * Hears every call of the DMA API, as a checker does. Called on the simulation thread, by the core
 * that executes the call, at its local time.
 *
 * <p>A device that is listened to forgives: a call that no correct driver makes is told and then
 * has the effect that it has in Linux, on the mapping at that address that fits best, or none.
 */
public interface DmaListener {
  /**
   * Memory has been given to the device; of a list each mapped segment counts.
   *
   * @param device whose mapping it is
   * @param port the core that maps
   * @param kind what made it
   * @param iova first byte for the device
   * @param pa host physical address of the original
   * @param bouncePa host physical address of the copy, negative if there is none
   * @param lengthBytes at least 1
   * @param direction what the device may do
   */
  void onMap(
      DmaDevice device,
      CpuPort port,
      MappingKind kind,
      long iova,
      long pa,
      long bouncePa,
      int lengthBytes,
      DmaDirection direction);

  /**
   * A list has been mapped; each of its mapped segments has been told by {@link #onMap} before.
   *
   * @param device whose mapping it is
   * @param port the core that maps
   * @param list mapped
   */
  void onMapList(DmaDevice device, CpuPort port, ScatterList list);

  /**
   * Memory could not be mapped.
   *
   * @param device for which it was asked
   * @param port the core that maps
   * @param kind what was asked for
   * @param pa host physical address, negative if there is none
   * @param lengthBytes bytes asked for
   * @param why what there was not
   */
  void onMapRefused(
      DmaDevice device, CpuPort port, MappingKind kind, long pa, int lengthBytes, MapRefusal why);

  /**
   * A mapping is about to be removed, or one that there is not.
   *
   * @param device whose mapping it is said to be
   * @param port the core that unmaps
   * @param kind what the call undoes
   * @param iova as the driver says
   * @param lengthBytes as the driver says
   * @param direction as the driver says
   */
  void onUnmap(
      DmaDevice device,
      CpuPort port,
      MappingKind kind,
      long iova,
      int lengthBytes,
      DmaDirection direction);

  /**
   * Coherent memory is about to be given back under another host address than it has.
   *
   * @param device whose memory it is
   * @param port the core that frees
   * @param buffer as the driver says
   */
  void onWrongCpuAddress(DmaDevice device, CpuPort port, CoherentBuffer buffer);

  /**
   * A list is about to be unmapped or synced with another number of segments than it has.
   *
   * @param device whose list it is
   * @param port the core that executes the call
   * @param list the list
   * @param segmentCount as the driver says
   * @param isUnmap whether it is unmapped
   */
  void onWrongSegmentCount(
      DmaDevice device, CpuPort port, ScatterList list, int segmentCount, boolean isUnmap);

  /**
   * A part of a mapping changes hands. Told before the host gets it, and after it has been given to
   * the device.
   *
   * @param device whose mapping it is said to be
   * @param port the core that executes the call
   * @param isForCpu whether the host gets it
   * @param iova bus address of the whole mapping, as the driver says
   * @param offsetBytes first byte of the part
   * @param lengthBytes bytes of the part
   * @param direction as the driver says
   */
  void onSync(
      DmaDevice device,
      CpuPort port,
      boolean isForCpu,
      long iova,
      int offsetBytes,
      int lengthBytes,
      DmaDirection direction);

  /**
   * The driver has asked whether mapping failed.
   *
   * @param device whose mapping it is
   * @param iova what mapping returned
   */
  void onErrorChecked(DmaDevice device, long iova);

  /**
   * The driver keeps descriptors in coherent memory.
   *
   * @param device whose ring it is
   * @param ring empty
   */
  void onRing(DmaDevice device, DescriptorRing ring);

  /**
   * The driver lets go of the device.
   *
   * @param device which should have nothing mapped
   * @param port the core that unbinds
   */
  void onUnbind(DmaDevice device, CpuPort port);
}
