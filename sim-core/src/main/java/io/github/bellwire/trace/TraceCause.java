package io.github.bellwire.trace;

/** What made a step of a DMA operation happen. */
public enum TraceCause {
  /** A buffer came out of the driver's pool. */
  BUFFER_FROM_POOL("buffer taken from the pool"),
  /** A buffer was mapped for the device. */
  BUFFER_MAPPED("buffer mapped for the device"),
  /** The pool's mapping, made once at set-up, was looked up. */
  POOL_MAPPING_REUSED("pool mapping looked up"),
  /** The driver wrote a descriptor. */
  DESCRIPTOR_WRITTEN("descriptor written by the driver"),
  /** The driver wrote the tail register. */
  TAIL_WRITTEN("tail register written by the driver"),
  /** The device read the descriptor. */
  DESCRIPTOR_FETCHED("descriptor read by the device"),
  /** The last bit of a frame arrived at the device that has now given it this descriptor. */
  FRAME_ARRIVED("frame arrived from the wire"),
  /** The device wrote payload to memory. */
  PAYLOAD_WRITTEN("payload written by the device"),
  /** The device read payload from memory. */
  PAYLOAD_READ("payload read by the device"),
  /** The last bit left on the wire. */
  FRAME_SENT("frame sent on the wire"),
  /** The device wrote the descriptor back. */
  DESCRIPTOR_WRITTEN_BACK("descriptor written back by the device"),
  /** The driver saw the done bit. */
  DONE_BIT_SEEN("done bit seen by the driver"),
  /** The access was refused; the operation ends in error. */
  ACCESS_REFUSED("access refused"),
  /** The buffer's mapping was removed. */
  BUFFER_UNMAPPED("buffer unmapped"),
  /** The buffer went back to the pool, its mapping stays. */
  BUFFER_TO_POOL("buffer returned to the pool"),
  /** Software on the device gave an engine a command. */
  COMMAND_GIVEN("command given to the engine"),
  /** Software on the device saw the end of the command. */
  END_NOTICED("end of the command noticed");

  private final String description;

  TraceCause(String description) {
    this.description = description;
  }

  /** {@return the cause in words, for a report} */
  public String description() {
    return description;
  }
}
