package io.github.bellwire.examples.dmacheck;

import static io.github.bellwire.dma.DmaDirection.FROM_DEVICE;
import static io.github.bellwire.dma.DmaDirection.TO_DEVICE;
import static io.github.bellwire.examples.dmacheck.BugMachine.PAGE_BYTES;

import io.github.bellwire.dma.DmaDirection;
import io.github.bellwire.dma.check.DmaViolation;
import java.util.List;
import java.util.function.Consumer;

/** Buffers and descriptors that are used by who does not own them. */
final class OwnershipBugs {
  private static final int BYTES = 512;

  private OwnershipBugs() {}

  static List<DriverBug> all() {
    return List.of(
        DriverBug.of(
            DmaViolation.CPU_ACCESS_DEVICE_OWNED,
            m -> storeAndSend(m, true),
            m -> storeAndSend(m, false)),
        DriverBug.of(
            DmaViolation.SYNC_FOR_CPU_MISSING,
            m -> receiveTwice(m, false, true),
            m -> receiveTwice(m, true, true)),
        DriverBug.of(
            DmaViolation.SYNC_FOR_DEVICE_MISSING,
            m -> receiveTwice(m, true, false),
            m -> receiveTwice(m, true, true)),
        new DriverBug(
            DmaViolation.CPU_WRITE_SHARED_LINE,
            BugMachine::nonCoherent,
            m -> storeBeside(m, 40),
            m -> storeBeside(m, 64)),
        DriverBug.of(
            DmaViolation.READ_BEFORE_COMPLETION,
            m -> receiveAfter(m, BugMachine::sleep),
            m -> receiveAfter(m, BugMachine::await)),
        DriverBug.of(
            DmaViolation.DEVICE_ACCESS_UNMAPPED,
            m -> receiveInto(m, PAGE_BYTES, BYTES),
            m -> receiveInto(m, 0, BYTES)),
        DriverBug.of(
            DmaViolation.DEVICE_ACCESS_BEYOND_MAPPING,
            m -> receiveInto(m, 0, BYTES + 4),
            m -> receiveInto(m, 0, BYTES)),
        DriverBug.of(
            DmaViolation.DEVICE_ACCESS_AFTER_UNMAP,
            m -> receiveAndUnmap(m, true),
            m -> receiveAndUnmap(m, false)),
        DriverBug.of(
            DmaViolation.DEVICE_ACCESS_WRONG_DIRECTION,
            m -> receiveMapped(m, TO_DEVICE),
            m -> receiveMapped(m, FROM_DEVICE)),
        DriverBug.of(
            DmaViolation.DEVICE_ACCESS_FREED_MEMORY,
            m -> receiveAndFree(m, true),
            m -> receiveAndFree(m, false)),
        DriverBug.of(
            DmaViolation.MEMORY_FREED_WHILE_MAPPED,
            m -> freeAround(m, true),
            m -> freeAround(m, false)),
        DriverBug.of(
            DmaViolation.DEVICE_READ_UNWRITTEN, m -> send(m, BYTES - 100), m -> send(m, BYTES)),
        DriverBug.of(
            DmaViolation.DOORBELL_BEFORE_DESCRIPTOR,
            m -> announceAndWrite(m, true),
            m -> announceAndWrite(m, false)),
        DriverBug.of(
            DmaViolation.DESCRIPTOR_FETCHED_TWICE,
            m -> changeBetweenFetches(m, true),
            m -> changeBetweenFetches(m, false)));
  }

  /** A driver that has something to add after it has given the buffer away. */
  private static void storeAndSend(BugMachine m, boolean storesLate) {
    long pa = m.allocate(BYTES);
    m.fill(pa, BYTES);
    if (!storesLate) {
      m.cpu.store(pa + 8, Long.BYTES, 42);
    }
    long iova = m.map(pa, BYTES, TO_DEVICE);
    if (storesLate) {
      m.cpu.store(pa + 8, Long.BYTES, 42);
    }
    m.postSend(iova, BYTES);
    m.await();
    m.unmap(iova, BYTES, TO_DEVICE);
  }

  /** A driver that keeps its mapping and passes the buffer to and fro. */
  private static void receiveTwice(BugMachine m, boolean syncsForCpu, boolean syncsForDevice) {
    long pa = m.allocate(BYTES);
    long iova = m.map(pa, BYTES, FROM_DEVICE);
    for (int i = 0; i < 2; i++) {
      m.postReceive(iova, BYTES);
      m.await();
      if (syncsForCpu) {
        m.dma.syncForCpu(m.cpu, iova, 0, BYTES, FROM_DEVICE);
      }
      m.cpu.load(pa, Long.BYTES);
      if (syncsForDevice) {
        m.dma.syncForDevice(m.cpu, iova, 0, BYTES, FROM_DEVICE);
      }
    }
    m.unmap(iova, BYTES, FROM_DEVICE);
  }

  /** What lies behind a buffer of 32 bytes is in its line, or in the next. */
  private static void storeBeside(BugMachine m, int offset) {
    long pa = m.allocate(PAGE_BYTES);
    long iova = m.map(pa, 32, FROM_DEVICE);
    m.postReceive(iova, 32);
    m.cpu.store(pa + offset, Long.BYTES, 1);
    m.await();
    m.unmap(iova, 32, FROM_DEVICE);
  }

  /** A driver that believes to know how long the device takes, or waits for it. */
  private static void receiveAfter(BugMachine m, Consumer<BugMachine> waiting) {
    long pa = m.allocate(BYTES);
    long iova = m.map(pa, BYTES, FROM_DEVICE);
    m.postReceive(iova, BYTES);
    waiting.accept(m);
    m.unmap(iova, BYTES, FROM_DEVICE);
    m.cpu.load(pa, Long.BYTES);
  }

  private static void receiveInto(BugMachine m, int offset, int bytes) {
    long pa = m.allocate(2 * PAGE_BYTES);
    long iova = m.map(pa, BYTES, FROM_DEVICE);
    m.postReceive(iova + offset, bytes);
    m.await();
    m.unmap(iova, BYTES, FROM_DEVICE);
  }

  private static void receiveAndUnmap(BugMachine m, boolean unmapsEarly) {
    long iova = m.map(m.allocate(BYTES), BYTES, FROM_DEVICE);
    m.postReceive(iova, BYTES);
    if (unmapsEarly) {
      m.unmap(iova, BYTES, FROM_DEVICE);
    }
    m.await();
    if (!unmapsEarly) {
      m.unmap(iova, BYTES, FROM_DEVICE);
    }
  }

  private static void receiveMapped(BugMachine m, DmaDirection direction) {
    long iova = m.map(m.allocate(BYTES), BYTES, direction);
    m.postReceive(iova, BYTES);
    m.await();
    m.unmap(iova, BYTES, direction);
  }

  private static void receiveAndFree(BugMachine m, boolean freesEarly) {
    long pa = m.allocate(BYTES);
    long iova = m.map(pa, BYTES, FROM_DEVICE);
    m.postReceive(iova, BYTES);
    if (freesEarly) {
      m.host.pages().free(pa, BYTES);
    }
    m.await();
    m.unmap(iova, BYTES, FROM_DEVICE);
    if (!freesEarly) {
      m.host.pages().free(pa, BYTES);
    }
  }

  private static void freeAround(BugMachine m, boolean freesFirst) {
    long pa = m.allocate(BYTES);
    long iova = m.map(pa, BYTES, FROM_DEVICE);
    if (freesFirst) {
      m.host.pages().free(pa, BYTES);
    }
    m.unmap(iova, BYTES, FROM_DEVICE);
    if (!freesFirst) {
      m.host.pages().free(pa, BYTES);
    }
  }

  /** A driver that sends more than it has written. */
  private static void send(BugMachine m, int writtenBytes) {
    long pa = m.allocate(BYTES);
    m.fill(pa, writtenBytes);
    long iova = m.map(pa, BYTES, TO_DEVICE);
    m.postSend(iova, BYTES);
    m.await();
    m.unmap(iova, BYTES, TO_DEVICE);
  }

  private static void announceAndWrite(BugMachine m, boolean announcesFirst) {
    long pa = m.allocate(BYTES);
    m.fill(pa, BYTES);
    long iova = m.map(pa, BYTES, TO_DEVICE);
    int index = m.ring.tail();
    if (announcesFirst) {
      m.announce();
    }
    m.write(index, iova, BYTES, 0);
    if (!announcesFirst) {
      m.announce();
    }
    m.await();
    m.unmap(iova, BYTES, TO_DEVICE);
  }

  /** A driver that cuts a transfer short while the device checks its descriptor. */
  private static void changeBetweenFetches(BugMachine m, boolean changes) {
    long pa = m.allocate(BYTES);
    m.fill(pa, BYTES);
    long iova = m.map(pa, BYTES, TO_DEVICE);
    m.fetchTwice();
    int index = m.ring.tail();
    m.postSend(iova, BYTES);
    m.cpu.delay(MailboxDevice.CHECK_PS);
    if (changes) {
      long lengthPa = m.ring.descriptorPa(index) + MailboxLayout.LENGTH_OFFSET;
      m.cpu.store(lengthPa, Integer.BYTES, BYTES / 2);
    }
    m.await();
    m.unmap(iova, BYTES, TO_DEVICE);
  }
}
