package io.github.bellwire.device.attacker;

import static java.util.Objects.requireNonNull;

import io.github.bellwire.kernel.Event;
import io.github.bellwire.kernel.Simulation;
import io.github.bellwire.pcie.DmaPort;
import io.github.bellwire.pcie.DmaStatus;
import java.util.ArrayDeque;
import java.util.Queue;

/**
 * Commands to write that a device has taken and carries out later, in the order in which they were
 * given: after the host has checked what it uses, or after the buffer has another owner. A reset
 * forgets them.
 */
public final class DelayedWrites extends Event {
  private final Simulation simulation;
  private final DmaPort dma;
  private final Queue<Command> commands = new ArrayDeque<>();
  private long doneTotal;
  private long refusedTotal;

  private record Command(long address, byte[] bytes, long atPs) {}

  DelayedWrites(Simulation simulation, DmaPort dma) {
    this.simulation = requireNonNull(simulation, "simulation");
    this.dma = requireNonNull(dma, "dma");
  }

  /**
   * Queues a write.
   *
   * @param address first byte
   * @param bytes at least one
   * @param atPs when to issue it, in picoseconds; not before the current time, nor before the
   *     commands that wait
   */
  public void add(long address, byte[] bytes, long atPs) {
    commands.add(new Command(address, bytes.clone(), atPs));
    if (!isScheduled()) {
      simulation.schedule(this, atPs);
    }
  }

  /** {@return commands that wait} */
  public int waitingCount() {
    return commands.size();
  }

  /** {@return commands carried out, refused ones among them} */
  public long doneTotal() {
    return doneTotal;
  }

  /** {@return of these, how many the host has refused} */
  public long refusedTotal() {
    return refusedTotal;
  }

  /** Forgets what waits. */
  void clear() {
    commands.clear();
    simulation.cancel(this);
  }

  @Override
  protected void onEvent(long nowPs) {
    Command command = commands.remove();
    byte[] bytes = command.bytes();
    dma.writeStatus(command.address(), bytes, 0, bytes.length, nowPs);
    doneTotal++;
    refusedTotal += dma.status() == DmaStatus.OK ? 0 : 1;
    Command next = commands.peek();
    if (next != null) {
      simulation.schedule(this, Math.max(nowPs, next.atPs()));
    }
  }
}
