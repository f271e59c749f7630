package io.github.bellwire.bench;

/** An event queue under the hold model: each event schedules exactly one successor, itself. */
abstract class HoldQueue {
  final HoldDelays delays;

  /** What the handlers add to; returned so that nothing can be optimised away. */
  long sum;

  HoldQueue(HoldDelays delays) {
    this.delays = delays;
  }

  abstract void run(int events);

  /**
   * Creates a queue with its events pending.
   *
   * @param implementation {@code bellwire}, {@code priorityQueue}, {@code priorityQueueComparable},
   *     {@code henriksen} or {@code fifo}, the floor: dispatch in a fixed order
   * @param handlerTypes 1, or 4 to make the call of the handler megamorphic
   */
  static HoldQueue create(
      String implementation, HoldDelays delays, int pendingEvents, int handlerTypes) {
    return switch (implementation) {
      case "bellwire" -> new BellwireHold(delays, pendingEvents, handlerTypes);
      case "priorityQueue" -> PriorityQueueHold.ofComparator(delays, pendingEvents, handlerTypes);
      case "priorityQueueComparable" ->
          PriorityQueueHold.ofComparable(delays, pendingEvents, handlerTypes);
      case "henriksen" -> new HenriksenHold(delays, pendingEvents, handlerTypes);
      case "fifo" -> new FifoHold(delays, pendingEvents, handlerTypes);
      default ->
          throw new IllegalArgumentException(
              "implementation must be known: implementation=" + implementation);
    };
  }
}
