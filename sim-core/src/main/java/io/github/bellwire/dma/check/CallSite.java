package io.github.bellwire.dma.check;

import io.github.bellwire.dma.DmaDevice;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Who called the DMA API.
 *
 * @param device name of the device
 * @param operation calls for this device before this one
 * @param coreIndex the core that executed the call
 * @param atPs its local time, in picoseconds
 * @param code the innermost methods of the driver, innermost first
 */
public record CallSite(String device, long operation, int coreIndex, long atPs, String code) {
  private static final int FRAMES = 3;
  private static final Set<String> OWN_CLASSES =
      Stream.concat(
              Stream.of(
                      ApiChecks.class,
                      CallSite.class,
                      CpuChecks.class,
                      DeviceShadow.class,
                      RingShadow.class)
                  .map(Class::getName),
              Stream.of(
                      "BounceBufferPool",
                      "CoherentMemory",
                      "DeviceMappings",
                      "DmaDevice",
                      "ScatterMappings")
                  .map(name -> DmaDevice.class.getPackageName() + "." + name))
          .collect(Collectors.toUnmodifiableSet());
  private static final StackWalker WALKER = StackWalker.getInstance();

  static CallSite here(String device, long operation, int coreIndex, long atPs) {
    String code =
        WALKER.walk(
            frames ->
                frames
                    .filter(frame -> !isOfDmaApi(frame.getClassName()))
                    .limit(FRAMES)
                    .map(CallSite::name)
                    .reduce((inner, outer) -> inner + " < " + outer)
                    .orElse("unknown"));
    return new CallSite(device, operation, coreIndex, atPs, code);
  }

  /** Leaves out the API and the checker, not their tests. */
  private static boolean isOfDmaApi(String className) {
    return OWN_CLASSES.contains(className)
        || className.startsWith("io.github.bellwire.cpu.")
        || className.startsWith("java.")
        || className.startsWith("jdk.");
  }

  private static String name(StackWalker.StackFrame frame) {
    String type = frame.getClassName().substring(frame.getClassName().lastIndexOf('.') + 1);
    return type + "." + frame.getMethodName() + ":" + frame.getLineNumber();
  }

  /** Prints as {@code nic, call 12, core 0, 1234.567 ns, in RxRing.refillOne:272}. */
  @Override
  public String toString() {
    return device
        + ", call "
        + operation
        + ", core "
        + coreIndex
        + ", "
        + Text.ns(atPs)
        + ", in "
        + code;
  }
}
