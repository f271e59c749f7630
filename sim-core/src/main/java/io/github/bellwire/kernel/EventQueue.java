package io.github.bellwire.kernel;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Pending events in the order (time, sequence): a binary heap of intrusive events. */
final class EventQueue {
  private @Nullable Event[] heap = new Event[64];
  private int size;

  @Nullable Event peek() {
    return size == 0 ? null : heap[0];
  }

  void add(Event event) {
    if (size == heap.length) {
      heap = Arrays.copyOf(heap, size * 2);
    }
    siftUp(event, size++);
  }

  void remove(Event event) {
    int index = event.heapIndex;
    event.heapIndex = Event.NOT_QUEUED;
    Event last = heap[--size];
    heap[size] = null;
    if (index != size) {
      siftUp(last, index);
      siftDown(last, last.heapIndex);
    }
  }

  private void siftUp(Event event, int start) {
    int index = start;
    while (index > 0) {
      int parent = (index - 1) >>> 1;
      if (!before(event, heap[parent])) {
        break;
      }
      put(heap[parent], index);
      index = parent;
    }
    put(event, index);
  }

  private void siftDown(Event event, int start) {
    int index = start;
    while (true) {
      int child = 2 * index + 1;
      if (child >= size) {
        break;
      }
      if (child + 1 < size && before(heap[child + 1], heap[child])) {
        child++;
      }
      if (!before(heap[child], event)) {
        break;
      }
      put(heap[child], index);
      index = child;
    }
    put(event, index);
  }

  private void put(Event event, int index) {
    heap[index] = event;
    event.heapIndex = index;
  }

  private static boolean before(Event a, Event b) {
    return a.timePs < b.timePs || (a.timePs == b.timePs && a.sequence < b.sequence);
  }
}
