package io.github.bellwire.examples.pio;

import io.github.bellwire.cpu.DeviceAccessConfig;
import io.github.bellwire.device.aperture.ApertureConfig;
import io.github.bellwire.examples.cli.CommandLineTool;
import io.github.bellwire.examples.cli.RunContext;
import io.github.bellwire.examples.cli.Scenario;
import io.github.bellwire.examples.host.HostChecker;
import io.github.bellwire.examples.host.HostKeys;
import io.github.bellwire.examples.host.Slots;
import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.report.Table;
import io.github.bellwire.examples.settings.Key;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.examples.settings.ValueTypes;
import io.github.bellwire.host.Host;
import io.github.bellwire.host.HostConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/** Moves bytes to and from a device in every way, and says from which size on DMA is faster. */
public final class PioVsDma implements Scenario {
  private static final String ALL = "all";
  private static final double PS_PER_US = 1e6;
  private static final int LINE_BYTES = 64;
  private static final int SWEEP_MIN_BYTES = 8;
  private static final int SWEEP_MAX_BYTES = 256 << 10;

  private static final Key<Long> SIZE =
      Key.optional(
          "size",
          ValueTypes.bytes(1, CopyBench.BYTES_MAX),
          "8 B to 256 KiB",
          "bytes of one copy; without it, all powers of two of the range");
  private static final Key<String> METHOD =
      Key.of(
          "method",
          ValueTypes.words(methodWords()),
          ALL,
          "who moves the bytes and how; dma goes both ways");
  private static final Key<Long> STORE_GAP =
      Key.optional(
          "cpu.store-gap",
          ValueTypes.timePs(1, 10_000_000),
          "host",
          "least time between two uncached stores that leave the core");
  private static final Key<Long> VECTOR =
      Key.optional(
          "cpu.vector",
          ValueTypes.oneOf(8, 16, 32, 64),
          "host",
          "bytes of the widest load or store of one instruction");
  private static final Key<Long> WC_BUFFERS =
      Key.optional(
          "cpu.wc-buffers",
          ValueTypes.count(1, 64),
          "host",
          "write-combining buffers of a core, a line of 64 B each");
  private static final Key<Long> LOADS =
      Key.optional(
          "cpu.streaming-loads",
          ValueTypes.count(1, 64),
          "host",
          "loads of device memory under way at once");
  private static final Key<Long> READ_LATENCY =
      Key.optional(
          "device.read-latency",
          ValueTypes.timePs(0, 100_000_000),
          "V100",
          "time that the device takes to answer a load");
  private static final Key<Long> SOFTWARE =
      Key.of(
          "dma.software",
          ValueTypes.timePs(0, 1_000_000_000),
          "0ns",
          "time that a run-time library takes around a copy by DMA; 4us makes the 6 to 7us of"
              + " cudaMemcpy");

  /** Creates the scenario. */
  public PioVsDma() {}

  @Override
  public String name() {
    return "pio-vs-dma";
  }

  @Override
  public String description() {
    return "move bytes to and from a GPU's memory by loads, stores and DMA";
  }

  @Override
  public List<Key<?>> keys() {
    List<Key<?>> keys =
        new ArrayList<>(
            List.of(SIZE, METHOD, STORE_GAP, VECTOR, WC_BUFFERS, LOADS, READ_LATENCY, SOFTWARE));
    for (Key<?> key : HostKeys.ALL) {
      keys.add(key == HostKeys.HOST ? HostKeys.HOST.withDefault(HostConfig.DGX_1.name()) : key);
    }
    return keys;
  }

  @Override
  public Report run(Settings settings, RunContext context) {
    Host host = new Host(hostConfig(settings), settings.value(CommandLineTool.SEED));
    HostChecker.attach(settings, host);
    CopyBench bench =
        new CopyBench(
            host,
            new Slots(settings, host),
            ApertureConfig.V100.withReadLatencyPs(
                settings.supply(READ_LATENCY, ApertureConfig.V100.readLatencyPs())),
            settings.value(SOFTWARE),
            context);
    List<CopyMethod> methods = methods(settings.value(METHOD));
    Results results = new Results();
    for (int bytes : sizes(settings)) {
      for (CopyMethod method : methods) {
        results.put(method, bytes, bench.run(method, bytes));
      }
    }
    Report report = new Report();
    if (methods.size() == CopyMethod.values().length) {
      addCrossovers(report, bench);
      report.explain(
          "Crossovers",
          "write: the size from which on dma returns sooner than wc-write",
          "read: the size from which on dma-read returns sooner than mmio-read");
    }
    results.addTo(report, methods);
    report.notModelled(
        "pinning and mapping of host memory, which pay only for buffers used many times; address"
            + " translation and contention inside the device");
    addWithoutEffect(report, settings);
    report.events(bench.eventsTotal());
    HostChecker.addTo(report, host);
    return report;
  }

  /** Says which settings are about other methods than the one chosen. */
  private static void addWithoutEffect(Report report, Settings settings) {
    String word = settings.value(METHOD);
    if (word.equals(ALL)) {
      return;
    }
    if (!word.equals(CopyMethod.DMA.word())) {
      HostKeys.addWithoutCores(report, settings, "a core's accesses to a device take times in ns");
    }
    List<String> stores = words(CopyMethod.UC_WRITE, CopyMethod.WC_WRITE, CopyMethod.MOVDIR64B);
    List<String> combining = words(CopyMethod.WC_WRITE, CopyMethod.MOVDIR64B);
    List<String> loads = words(CopyMethod.MMIO_READ);
    Map<Key<?>, List<String>> methods = new LinkedHashMap<>();
    methods.put(STORE_GAP, stores);
    methods.put(VECTOR, words(CopyMethod.WC_WRITE, CopyMethod.MOVDIR64B, CopyMethod.MMIO_READ));
    methods.put(WC_BUFFERS, combining);
    methods.put(LOADS, loads);
    methods.put(READ_LATENCY, loads);
    methods.put(SOFTWARE, words(CopyMethod.DMA));
    methods.forEach(
        (key, those) -> {
          if (settings.isChanged(key) && !those.contains(word)) {
            report.withoutEffect(
                settings.assignment(key) + ": is about method=" + String.join(", ", those));
          }
        });
  }

  private static List<String> words(CopyMethod... methods) {
    return Arrays.stream(methods).map(CopyMethod::word).toList();
  }

  private static HostConfig hostConfig(Settings settings) {
    HostConfig host = HostKeys.resolve(settings);
    DeviceAccessConfig access = host.core().deviceAccess();
    access =
        access
            .withStoreGapPs(settings.supply(STORE_GAP, access.storeGapPs()))
            .withVectorBytes(supply(settings, VECTOR, access.vectorBytes()))
            .withBuffersCount(supply(settings, WC_BUFFERS, access.buffersCount()))
            .withStreamingLoadsCount(supply(settings, LOADS, access.streamingLoadsCount()));
    return host.withCore(host.core().withDeviceAccess(access));
  }

  /** Looks for the sizes whatever sizes the user asked for. */
  private static void addCrossovers(Report report, CopyBench bench) {
    addCrossover(report, bench, "crossover_write_bytes", CopyMethod.WC_WRITE, CopyMethod.DMA);
    addCrossover(report, bench, "crossover_read_bytes", CopyMethod.MMIO_READ, CopyMethod.DMA_READ);
  }

  /** Adds the size from which on DMA is faster; below, it may be here and there. */
  private static void addCrossover(
      Report report, CopyBench bench, String name, CopyMethod core, CopyMethod device) {
    int crossover = 0;
    for (int bytes : sweep()) {
      if (!isDeviceFaster(bench, core, device, bytes)) {
        crossover = 0;
      } else if (crossover == 0) {
        crossover = bytes;
      }
    }
    if (crossover == 0) {
      report.remark(
          "There is no "
              + name.replace('_', ' ').replace(" bytes", "")
              + ": DMA is not faster at the largest size of the sweep.");
    } else {
      report.metric(name, (long) refine(bench, core, device, crossover)).headline(name);
    }
  }

  /** Halves the interval below a size at which DMA is faster, down to a line. */
  private static int refine(CopyBench bench, CopyMethod core, CopyMethod device, int bytes) {
    int slower = bytes / 2;
    int faster = bytes;
    while (faster - slower > LINE_BYTES) {
      int middle = (slower + faster) / 2 / LINE_BYTES * LINE_BYTES; // rounds down to a line
      if (isDeviceFaster(bench, core, device, middle)) {
        faster = middle;
      } else {
        slower = middle;
      }
    }
    return faster;
  }

  private static boolean isDeviceFaster(
      CopyBench bench, CopyMethod core, CopyMethod device, int bytes) {
    return bench.run(device, bytes).callPs() <= bench.run(core, bytes).callPs();
  }

  private static List<Integer> sizes(Settings settings) {
    return settings.find(SIZE).map(size -> List.of(Math.toIntExact(size))).orElse(sweep());
  }

  private static List<Integer> sweep() {
    List<Integer> sizes = new ArrayList<>();
    for (int bytes = SWEEP_MIN_BYTES; bytes <= SWEEP_MAX_BYTES; bytes *= 2) {
      sizes.add(bytes);
    }
    return sizes;
  }

  /** DMA goes both ways. */
  private static List<CopyMethod> methods(String word) {
    return Arrays.stream(CopyMethod.values())
        .filter(
            method ->
                word.equals(ALL)
                    || method.word().equals(word)
                    || method.isDma() && word.equals(CopyMethod.DMA.word()))
        .toList();
  }

  private static List<String> methodWords() {
    List<String> words = new ArrayList<>();
    for (CopyMethod method : CopyMethod.values()) {
      if (method != CopyMethod.DMA_READ) {
        words.add(method.word());
      }
    }
    words.add(ALL);
    return words;
  }

  private static int supply(Settings settings, Key<Long> key, int preset) {
    return Math.toIntExact(settings.supply(key, (long) preset));
  }

  /** What was measured, by size and method. */
  private static final class Results {
    private final Map<Integer, Map<CopyMethod, CopyTimes>> bySize = new TreeMap<>();

    void put(CopyMethod method, int bytes, CopyTimes times) {
      bySize.computeIfAbsent(bytes, size -> new EnumMap<>(CopyMethod.class)).put(method, times);
    }

    void addTo(Report report, List<CopyMethod> methods) {
      List<String> names = new ArrayList<>();
      boolean isContentOk = true;
      for (var row : bySize.entrySet()) {
        for (var cell : row.getValue().entrySet()) {
          String name = cell.getKey().word() + "_" + row.getKey();
          CopyTimes times = cell.getValue();
          report.metric(name + "_us", times.callPs() / PS_PER_US);
          report.metric(name + "_cpu_us", times.cpuPs() / PS_PER_US);
          report.metric(name + "_arrival_us", times.arrivalPs() / PS_PER_US);
          names.addAll(List.of(name + "_us", name + "_cpu_us", name + "_arrival_us"));
          isContentOk &= times.isContentOk();
        }
      }
      report.table(
          table("Time until the call returns, us", methods, times -> us(times.callPs())), names);
      report.table(table("CPU time, us", methods, times -> us(times.cpuPs())));
      report.table(
          table(
              "Time until the last byte has arrived, us", methods, times -> us(times.arrivalPs())));
      report.check("bytes arrived = bytes sent", isContentOk, names.size() / 3 + " copies");
    }

    private Table table(
        String title, List<CopyMethod> methods, Function<CopyTimes, String> format) {
      List<String> columns = new ArrayList<>(List.of(">bytes"));
      methods.forEach(method -> columns.add(">" + method.word()));
      Table table = new Table(title, columns.toArray(new String[0]));
      bySize.forEach(
          (bytes, byMethod) -> {
            List<String> cells = new ArrayList<>(List.of(Integer.toString(bytes)));
            methods.forEach(method -> cells.add(format.apply(byMethod.get(method))));
            table.row(cells.toArray(new String[0]));
          });
      return table;
    }

    private static String us(long ps) {
      return String.format(Locale.ROOT, "%.4f", ps / PS_PER_US);
    }
  }
}
