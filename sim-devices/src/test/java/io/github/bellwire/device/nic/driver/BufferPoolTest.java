package io.github.bellwire.device.nic.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.bellwire.cpu.CpuPort;
import io.github.bellwire.cpu.Routine;
import io.github.bellwire.dma.MemoryZones;
import io.github.bellwire.dma.PageAllocator;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BufferPoolTest {
  private final PageAllocator pages = new PageAllocator(MemoryZones.ofRam(16 << 20, 64 << 20));

  @ParameterizedTest
  @CsvSource({"1024, 1024", "2048, 2048", "3072, 4096", "4096, 4096", "5120, 4096", "16384, 4096"})
  void shouldAlignBuffersAndKeepThemApart(int bufferBytes, int alignment) {
    BufferPool pool = new BufferPool(pages, bufferBytes, 600);

    Set<Long> kibibytes = new HashSet<>();
    for (int i = 0; i < 600; i++) {
      long pa = pool.pa(i);
      assertThat(pa % alignment).isZero();
      for (int offset = 0; offset < bufferBytes; offset += 1024) {
        assertThat(kibibytes.add(pa + offset)).as("buffer %d", i).isTrue();
      }
    }
    assertThat(pool.bufferBytes()).isEqualTo(bufferBytes);
  }

  @Test
  void shouldHandOutTheLastOneGivenBackFirst() {
    BufferPool pool = new BufferPool(pages, 2048, 3);

    assertThat(pool.take()).isZero();
    assertThat(pool.take()).isEqualTo(1);
    pool.give(0);
    assertThat(pool.take()).isZero();
    assertThat(pool.take()).isEqualTo(2);
    assertThat(pool.take()).isEqualTo(BufferPool.NO_BUFFER);
    assertThat(pool.freeCount()).isZero();
    pool.give(1);
    assertThat(pool.freeCount()).isEqualTo(1);
    assertThat(pool.freeCountMin()).isZero();
    assertThat(pool.buffersCount()).isEqualTo(3);
  }

  @Test
  void shouldWakeWhoWaitsOnceABufferHasComeBack() {
    Host host = new Host(HostConfig.GEN4_SERVER, 1);
    BufferPool pool = new BufferPool(pages, 2048, 3);
    List<Long> runs = new ArrayList<>();
    Routine routine =
        new Routine(host.core(0)) {
          @Override
          protected void run(CpuPort port) {
            runs.add(port.nowPs());
          }
        };
    pool.take();
    pool.take();
    pool.take();
    pool.awaitBuffer(routine);

    pool.putBack(0);
    host.simulation().runUntil(10_000_000);
    assertThat(runs).isEmpty();

    pool.give(1);
    host.simulation().runUntil(20_000_000);
    assertThat(runs).containsExactly(11_000_000L); // a microsecond later

    pool.give(2);
    host.simulation().runUntil(30_000_000);
    assertThat(runs).hasSize(1);
  }

  @Test
  void shouldRefuseWhatIsNotInUse() {
    BufferPool pool = new BufferPool(pages, 2048, 3);
    int buffer = pool.take();
    pool.give(buffer);

    assertThatIllegalArgumentException()
        .isThrownBy(() -> pool.give(buffer))
        .withMessage("buffer must be in use: buffer=0");
  }

  @Test
  void shouldRefuseMoreThanTheMachineHas() {
    assertThatIllegalStateException()
        .isThrownBy(() -> new BufferPool(pages, 16_384, 10_000))
        .withMessage("memory must hold the buffers: buffersCount=10000, bufferBytes=16384");
  }

  @Test
  void shouldPlaceBuffersAtAnyDistanceOfWholeLines() {
    BufferPool pool = new BufferPool(pages, 2048, 1000, 2368);

    // 2 MiB / 2368 B = 885.6: block after block of 885.
    assertThat(pool.pa(1) - pool.pa(0)).isEqualTo(2368);
    assertThat(pool.pa(884) - pool.pa(0)).isEqualTo(884 * 2368);
    assertThat(pool.pa(886) - pool.pa(885)).isEqualTo(2368);
    assertThat(pool.pa(885) % (1 << 18)).isZero();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new BufferPool(pages, 2048, 1, 2000))
        .withMessage("strideBytes must be a multiple of 64 in 2048..32768: strideBytes=2000");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new BufferPool(pages, 2048, 1, 2100))
        .withMessage("strideBytes must be a multiple of 64 in 2048..32768: strideBytes=2100");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new BufferPool(pages, 2048, 1, 32_832))
        .withMessage("strideBytes must be a multiple of 64 in 2048..32768: strideBytes=32832");
  }

  @Test
  void shouldRefuseSizesOutOfRange() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new BufferPool(pages, 2000, 1))
        .withMessage("bufferBytes must be a multiple of 1024 in 1024..16384: bufferBytes=2000");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new BufferPool(pages, 2048, 0))
        .withMessage("buffersCount must be >= 1: buffersCount=0");
  }
}
