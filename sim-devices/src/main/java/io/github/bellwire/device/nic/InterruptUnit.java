package io.github.bellwire.device.nic;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import java.util.Arrays;

/**
 * The interrupt unit of one port: causes, their mapping to vectors, masks and moderation.
 *
 * <pre>{@code
 * onRxCause(q) --IVAR(q/2)--.        EIMS        per vector
 * onTxCause(q) --IVAR(q/2)---> EICR --&--> [ EITR: at least so long  ] --> MessageSender
 * onOther(bit) --------------^  ^          [ after the last message  ]      |
 *                IVAR_MISC      EICS                                        |
 *                               '<------- EIAC clears, EIAM masks ----------'
 * }</pre>
 *
 * <p>In MSI-X mode (GPIE) an IVAR field names the vector, and EICR bits 15:0 and the EX registers
 * are vectors; otherwise the field names one of the EICR bits 15:0, and every cause goes to vector
 * 0. Each new cause asks for one message. A cause that is masked, or that meets a running EITR
 * counter, waits in EICR and asks again when it is unmasked or the counter has run out; clearing
 * the EICR bit withdraws it. Vectors 16..63 have no readable cause bit and clear themselves.
 *
 * <p>EITR counts <em>from the last message</em> in steps of 2.048 us, so that the first cause after
 * an idle interval fires at once (82598 data sheet 3.5.4.2). A write without CNT_WDIS loads the
 * counter, usually with 0, which ends a running interval.
 *
 * <p>A cause may be announced ahead of time; it then acts at its time. An event is scheduled only
 * for a message that will be sent, so a masked vector costs none. Reading EICS returns the causes
 * without clearing them, as Linux relies on. Not modelled: low-latency interrupts, the vectors of
 * virtual functions (EITRSEL), and INTx: the unit sends messages only.
 *
 * <p>Sources: Intel ixgbe_type.h; 82598 data sheet 3.5.4 and 4.4.3.3; Linux ixgbe for the EX
 * registers and the effects of EIAM. Allocates nothing after construction. Confined to the
 * simulation thread.
 */
final class InterruptUnit {
  /** One unit of EITR's interval in picoseconds. */
  static final long ITR_UNIT_PS = 256_000;

  /** One step of the moderation counter: the interval's low three bits are always zero. */
  static final long ITR_STEP_PS = 8 * ITR_UNIT_PS;

  private static final int VECTORS = NicRegisters.VECTORS;
  private static final int COUNTER_BITS = 0x7F;
  // EITR shows the upper 7 of the counter's 9 bits.
  private static final int COUNTER_HIDDEN_BITS = 2;
  private static final int EITR_STORED_MASK =
      NicRegisters.EITR_INTERVAL_MASK | NicRegisters.EITR_LLI_MOD | 0x001F0000;
  private static final int RTX_MASK = NicRegisters.EICR_RTX_QUEUE;
  private static final int FIRST_OTHER_BIT = 16;
  private static final int OTHER_BITS = 15;
  private static final int UPPER_MASK = InterruptMap.OTHER_MASK | InterruptMap.TIMER_MASK;
  private static final long HIDDEN_VECTORS = ~0xFFFFL;
  private static final int GPIE_MASK = 0xC000FFFF;

  private final Simulation simulation;
  private final MessageSender sender;
  private final InterruptMap map = new InterruptMap();
  private final VectorTimer[] timers = new VectorTimer[VECTORS];
  private final CauseTimes[] vectorTimes = new CauseTimes[VECTORS];
  private final CauseTimes[] otherTimes = new CauseTimes[OTHER_BITS];

  private int gpie;
  private int eitrSel;
  private final int[] eitr = new int[VECTORS];
  private final long[] allowedPs = new long[VECTORS];

  // Causes, masks and requests for a message: vectors (or RTxQ bits) in a long, bits 30:16 in an
  // int. A request implies its cause.
  private long causes;
  private int otherCauses;
  private long enabled;
  private int otherEnabled;
  private long requests;
  private int otherRequests;
  private long unmoderated;
  private int otherUnmoderated;
  private long autoClear;
  private int otherAutoClear;
  private long autoMask;
  private int otherAutoMask;
  private long futures;
  private int otherFutures;

  private long messagesTotal;

  /**
   * Creates the unit in its reset state: everything masked, nothing mapped.
   *
   * @param simulation carries the moderation timers
   * @param sender takes the messages
   */
  InterruptUnit(Simulation simulation, MessageSender sender) {
    this.simulation = requireNonNull(simulation, "simulation");
    this.sender = requireNonNull(sender, "sender");
    for (int vector = 0; vector < VECTORS; vector++) {
      timers[vector] = new VectorTimer(vector);
      vectorTimes[vector] = new CauseTimes();
    }
    for (int bit = 0; bit < OTHER_BITS; bit++) {
      otherTimes[bit] = new CauseTimes();
    }
  }

  /** Returns to the reset state: everything masked, nothing mapped, nothing pending. */
  void reset() {
    for (int vector = 0; vector < VECTORS; vector++) {
      simulation.cancel(timers[vector]);
      vectorTimes[vector].clear();
    }
    for (CauseTimes times : otherTimes) {
      times.clear();
    }
    Arrays.fill(eitr, 0);
    Arrays.fill(allowedPs, 0);
    gpie = 0;
    eitrSel = 0;
    causes = 0;
    otherCauses = 0;
    enabled = 0;
    otherEnabled = 0;
    requests = 0;
    otherRequests = 0;
    unmoderated = 0;
    otherUnmoderated = 0;
    autoClear = 0;
    otherAutoClear = 0;
    autoMask = 0;
    otherAutoMask = 0;
    futures = 0;
    otherFutures = 0;
    map.reset();
  }

  // ---- Causes, from the engines ----

  /**
   * A receive queue asks for an interrupt, if its IVAR field is valid.
   *
   * @param queue 0..127
   * @param atPs when, in picoseconds; a time that has passed is now
   */
  void onRxCause(int queue, long atPs) {
    raise(map.rxField(queue), atPs);
  }

  /**
   * A transmit queue asks for an interrupt, if its IVAR field is valid.
   *
   * @param queue 0..127
   * @param atPs when, in picoseconds; a time that has passed is now
   */
  void onTxCause(int queue, long atPs) {
    raise(map.txField(queue), atPs);
  }

  /**
   * Something else happens.
   *
   * @param cause one of EICR's bits 30:16, such as {@link NicRegisters#EICR_LSC}
   * @param atPs when, in picoseconds; a time that has passed is now
   */
  void onOther(int cause, long atPs) {
    long nowPs = simulation.nowPs();
    if (atPs <= nowPs) {
      otherCauses |= cause;
      otherRequests |= cause;
    } else {
      CauseTimes times = otherTimes[Integer.numberOfTrailingZeros(cause) - FIRST_OTHER_BIT];
      if (times.isFull()) {
        settle(0, cause, nowPs);
      }
      times.add(atPs);
      otherFutures |= cause;
    }
    armOthers(nowPs);
  }

  // ---- What the transmit engine asks ----

  /**
   * {@return whether a transmit queue has a vector}
   *
   * @param queue 0..127
   */
  boolean hasTxVector(int queue) {
    return InterruptMap.isValid(map.txField(queue));
  }

  /**
   * {@return the vector that moderates a transmit queue}
   *
   * @param queue a queue for which {@link #hasTxVector} holds
   */
  int txVector(int queue) {
    return map.vector(map.txField(queue));
  }

  /**
   * {@return the minimum spacing of a vector's messages in picoseconds; 0 is no limit}
   *
   * @param vector 0..63
   */
  long itrPs(int vector) {
    return (eitr[vector] & NicRegisters.EITR_INTERVAL_MASK) * ITR_UNIT_PS;
  }

  /**
   * When a vector's ITR expires next, which is when descriptors that wait for WTHRESH are written
   * back. An idle counter is taken to start with the first waiting descriptor (assumption).
   *
   * @param vector 0..63
   * @param fromPs when the first descriptor began to wait, in picoseconds
   * @return the time in picoseconds, or {@link Simulation#NEVER_PS} if the vector has no interval
   */
  long itrExpiryPs(int vector, long fromPs) {
    long intervalPs = itrPs(vector);
    if (intervalPs == 0) {
      return Simulation.NEVER_PS;
    }
    return allowedPs[vector] > fromPs ? allowedPs[vector] : fromPs + intervalPs;
  }

  // ---- Registers ----

  /**
   * {@return whether an offset is a register of this unit}
   *
   * @param offset byte offset into BAR0
   */
  boolean handles(int offset) {
    return InterruptLayout.contains(offset);
  }

  /**
   * Reads a register; reading EICR clears causes.
   *
   * @param offset an offset for which {@link #handles} holds
   * @param nowPs the current time in picoseconds
   * @return the 32 bits
   */
  int read(int offset, long nowPs) {
    if (InterruptLayout.isEitr(offset)) {
      return readEitr(InterruptLayout.eitrVector(offset), nowPs);
    }
    if (InterruptLayout.isIvar(offset)) {
      return map.ivar(InterruptLayout.ivarIndex(offset));
    }
    switch (offset) {
      case NicRegisters.EICR:
        return readEicr(nowPs);
      case NicRegisters.EICS:
        return shownCauses(nowPs);
      case NicRegisters.EIAC:
        return (int) autoClear | otherAutoClear;
      case NicRegisters.EIMS:
        return (int) enabled & RTX_MASK | otherEnabled;
      case NicRegisters.EIAM:
        return (int) autoMask & RTX_MASK | otherAutoMask;
      case NicRegisters.EITRSEL:
        return eitrSel;
      case NicRegisters.GPIE:
        return gpie;
      case NicRegisters.IVAR_MISC:
        return map.ivarMisc();
      case InterruptLayout.EIMS_EX_LOW:
        return (int) enabled;
      case InterruptLayout.EIMS_EX_HIGH:
        return (int) (enabled >>> 32);
      case InterruptLayout.EIAM_EX_LOW:
        return (int) autoMask;
      case InterruptLayout.EIAM_EX_HIGH:
        return (int) (autoMask >>> 32);
      default:
        return 0;
    }
  }

  /**
   * Writes a register; may send messages.
   *
   * @param offset an offset for which {@link #handles} holds
   * @param value the bits
   * @param nowPs the current time in picoseconds
   */
  void write(int offset, int value, long nowPs) {
    if (InterruptLayout.isEitr(offset)) {
      writeEitr(InterruptLayout.eitrVector(offset), value, nowPs);
    } else if (InterruptLayout.isIvar(offset)) {
      map.setIvar(InterruptLayout.ivarIndex(offset), value);
    } else {
      writeSingle(offset, value, nowPs);
    }
  }

  private void writeSingle(int offset, int value, long nowPs) {
    long vectors = value & RTX_MASK;
    int others = value & UPPER_MASK;
    switch (offset) {
      case NicRegisters.EICR:
        writeEicr(vectors, others, nowPs);
        break;
      case NicRegisters.EICS:
        set(vectors, others, nowPs);
        break;
      case NicRegisters.EIAC:
        autoClear = vectors;
        otherAutoClear = others;
        break;
      case NicRegisters.EIMS:
        unmask(vectors, others, nowPs);
        break;
      case NicRegisters.EIMC:
        enabled &= ~vectors;
        otherEnabled &= ~others;
        break;
      case NicRegisters.EIAM:
        autoMask = autoMask & HIDDEN_VECTORS | vectors;
        otherAutoMask = others;
        break;
      case NicRegisters.EITRSEL:
        eitrSel = value;
        break;
      case NicRegisters.GPIE:
        gpie = value & GPIE_MASK;
        map.setMsix((gpie & NicRegisters.GPIE_MSIX_MODE) != 0);
        armAll(nowPs);
        break;
      case NicRegisters.IVAR_MISC:
        map.setIvarMisc(value);
        armAll(nowPs);
        break;
      default:
        writeExtended(offset, value, nowPs);
        break;
    }
  }

  private void writeExtended(int offset, int value, long nowPs) {
    long low = Integer.toUnsignedLong(value);
    long high = (long) value << 32;
    switch (offset) {
      case InterruptLayout.EICS_EX_LOW:
        set(low, 0, nowPs);
        break;
      case InterruptLayout.EICS_EX_HIGH:
        set(high, 0, nowPs);
        break;
      case InterruptLayout.EIMS_EX_LOW:
        unmask(low, 0, nowPs);
        break;
      case InterruptLayout.EIMS_EX_HIGH:
        unmask(high, 0, nowPs);
        break;
      case InterruptLayout.EIMC_EX_LOW:
        enabled &= ~low;
        break;
      case InterruptLayout.EIMC_EX_HIGH:
        enabled &= ~high;
        break;
      case InterruptLayout.EIAM_EX_LOW:
        autoMask = autoMask & ~0xFFFFFFFFL | low;
        break;
      case InterruptLayout.EIAM_EX_HIGH:
        autoMask = autoMask & 0xFFFFFFFFL | high;
        break;
      default:
        break;
    }
  }

  /** {@return messages sent} */
  long messagesTotal() {
    return messagesTotal;
  }

  // ---- Cause registers ----

  private int shownCauses(long nowPs) {
    settle(~0L, UPPER_MASK, nowPs);
    int summary = (otherCauses & InterruptMap.OTHER_MASK) != 0 ? NicRegisters.EICR_OTHER : 0;
    return (int) causes & RTX_MASK | otherCauses | summary;
  }

  private int readEicr(long nowPs) {
    int value = shownCauses(nowPs);
    boolean keepsVectors = map.isMsix() && (gpie & NicRegisters.GPIE_OCD) != 0;
    withdraw(keepsVectors ? 0 : RTX_MASK, keepsVectors ? InterruptMap.OTHER_MASK : UPPER_MASK);
    if (!isAutoMaskedByMessage()) {
      enabled &= ~autoMask;
      otherEnabled &= ~otherAutoMask;
    }
    return value;
  }

  private void writeEicr(long vectors, int others, long nowPs) {
    settle(~0L, UPPER_MASK, nowPs);
    withdraw(vectors, others);
    if (!isAutoMaskedByMessage()) {
      enabled &= ~(autoMask & vectors);
      otherEnabled &= ~(otherAutoMask & others);
    }
  }

  private void withdraw(long vectors, int others) {
    causes &= ~vectors;
    requests &= ~vectors;
    unmoderated &= ~vectors;
    otherCauses &= ~others;
    otherRequests &= ~others;
    otherUnmoderated &= ~others;
  }

  private void set(long vectors, int others, long nowPs) {
    causes |= vectors;
    requests |= vectors;
    otherCauses |= others;
    otherRequests |= others;
    if ((gpie & NicRegisters.GPIE_EIMEN) != 0) {
      unmoderated |= vectors;
      otherUnmoderated |= others;
    }
    if (!isAutoMaskedByMessage()) {
      enabled |= autoMask & vectors;
      otherEnabled |= otherAutoMask & others;
    }
    armAll(nowPs);
  }

  private void unmask(long vectors, int others, long nowPs) {
    // A cause whose message went out while its EICR bit stayed set asks again.
    requests |= causes & vectors & ~enabled;
    otherRequests |= otherCauses & others & ~otherEnabled;
    enabled |= vectors;
    otherEnabled |= others;
    armAll(nowPs);
  }

  // ---- Moderation ----

  private int readEitr(int vector, long nowPs) {
    long leftPs = Math.max(0, allowedPs[vector] - nowPs);
    // Rounded up: a counter that still runs is not 0.
    long steps = (leftPs + ITR_STEP_PS - 1) / ITR_STEP_PS;
    int shown = (int) (steps >>> COUNTER_HIDDEN_BITS) & COUNTER_BITS;
    return eitr[vector] | shown << NicRegisters.EITR_COUNTER_SHIFT;
  }

  private void writeEitr(int vector, int value, long nowPs) {
    eitr[vector] = value & EITR_STORED_MASK;
    if ((value & NicRegisters.EITR_CNT_WDIS) == 0) {
      long counter = value >>> NicRegisters.EITR_COUNTER_SHIFT & COUNTER_BITS;
      allowedPs[vector] = nowPs + (counter << COUNTER_HIDDEN_BITS) * ITR_STEP_PS;
      arm(vector, nowPs);
    }
  }

  private void raise(int field, long atPs) {
    if (!InterruptMap.isValid(field)) {
      return;
    }
    int index = map.cause(field);
    long cause = 1L << index;
    long nowPs = simulation.nowPs();
    if (atPs <= nowPs) {
      causes |= cause;
      requests |= cause;
    } else {
      CauseTimes times = vectorTimes[index];
      if (times.isFull()) {
        settle(cause, 0, nowPs);
      }
      times.add(atPs);
      futures |= cause;
    }
    if ((enabled & cause) != 0) {
      arm(map.vector(field), nowPs);
    }
  }

  /** Turns announced causes whose time has come into causes. */
  private void settle(long vectors, int others, long nowPs) {
    for (long rest = futures & vectors; rest != 0; rest &= rest - 1) {
      long cause = Long.lowestOneBit(rest);
      CauseTimes times = vectorTimes[Long.numberOfTrailingZeros(rest)];
      if (times.removeUntil(nowPs)) {
        causes |= cause;
        requests |= cause;
        futures &= times.isEmpty() ? ~cause : ~0L;
      }
    }
    for (int rest = otherFutures & others; rest != 0; rest &= rest - 1) {
      int cause = Integer.lowestOneBit(rest);
      CauseTimes times = otherTimes[Integer.numberOfTrailingZeros(rest) - FIRST_OTHER_BIT];
      if (times.removeUntil(nowPs)) {
        otherCauses |= cause;
        otherRequests |= cause;
        otherFutures &= times.isEmpty() ? ~cause : ~0;
      }
    }
  }

  private void armAll(long nowPs) {
    armOthers(nowPs);
    if (map.isMsix()) {
      for (long rest = (requests | futures) & enabled; rest != 0; rest &= rest - 1) {
        arm(Long.numberOfTrailingZeros(rest), nowPs);
      }
    }
  }

  private void armOthers(long nowPs) {
    arm(map.otherVector(), nowPs);
    arm(map.timerVector(), nowPs);
  }

  /** Sends a vector's message if it is due and allowed, or sets its timer for when it will be. */
  private void arm(int vector, long nowPs) {
    long messagePs = messagePs(vector, nowPs);
    if (messagePs <= nowPs) {
      send(vector, nowPs);
      messagePs = messagePs(vector, nowPs);
    }
    VectorTimer timer = timers[vector];
    if (messagePs == Simulation.NEVER_PS) {
      simulation.cancel(timer);
    } else if (!timer.isScheduled() || timer.timePs() != messagePs) {
      simulation.reschedule(timer, messagePs);
    }
  }

  /** When the next message of a vector goes out if nothing else happens. */
  private long messagePs(int vector, long nowPs) {
    long vectors = map.vectorMask(vector) & enabled;
    int others = map.otherMask(vector) & otherEnabled;
    if ((unmoderated & vectors) != 0 || (otherUnmoderated & others) != 0) {
      return nowPs;
    }
    long duePs = Simulation.NEVER_PS;
    if ((requests & vectors) != 0 || (otherRequests & others) != 0) {
      duePs = nowPs;
    } else {
      for (long rest = futures & vectors; rest != 0; rest &= rest - 1) {
        duePs = Math.min(duePs, vectorTimes[Long.numberOfTrailingZeros(rest)].firstPs());
      }
      for (int rest = otherFutures & others; rest != 0; rest &= rest - 1) {
        int index = Integer.numberOfTrailingZeros(rest) - FIRST_OTHER_BIT;
        duePs = Math.min(duePs, otherTimes[index].firstPs());
      }
    }
    return Math.max(duePs, allowedPs[vector]);
  }

  private void send(int vector, long nowPs) {
    settle(map.vectorMask(vector), map.otherMask(vector), nowPs);
    long vectors = requests & map.vectorMask(vector) & enabled;
    int others = otherRequests & map.otherMask(vector) & otherEnabled;
    requests &= ~vectors;
    unmoderated &= ~vectors;
    otherRequests &= ~others;
    otherUnmoderated &= ~others;
    if (map.isMsix()) {
      causes &= ~(vectors & (autoClear | HIDDEN_VECTORS));
      otherCauses &= ~(others & otherAutoClear);
    }
    if (isAutoMaskedByMessage()) {
      enabled &= ~(vectors & autoMask);
      otherEnabled &= ~(others & otherAutoMask);
    }
    allowedPs[vector] = nowPs + itrPs(vector);
    messagesTotal++;
    sender.send(vector, nowPs);
  }

  private boolean isAutoMaskedByMessage() {
    return (gpie & NicRegisters.GPIE_EIAME) != 0;
  }

  /** The time at which a vector's message is due and allowed. */
  private final class VectorTimer extends Event {
    private final int vector;

    VectorTimer(int vector) {
      this.vector = vector;
    }

    @Override
    protected void onEvent(long nowPs) {
      arm(vector, nowPs);
    }
  }
}
