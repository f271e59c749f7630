package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.ArchConfiguration;
import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/** The order of packages, checked over the classes of all modules. */
class ArchitectureTest {
  private static final String ROOT = "io.github.bellwire.";

  /** A package uses only packages that stand before it. */
  private static final List<String> ORDER =
      List.of(
          "kernel",
          "stats",
          "trace",
          "memory",
          "cache",
          "pcie",
          "cpu",
          "dma",
          "check",
          "host",
          "iommu",
          "device",
          "driver",
          "bench",
          "examples");

  /** The same inside the IOMMU. */
  private static final List<String> IOMMU_ORDER =
      List.of(
          "iommu.layout",
          "iommu.walk",
          "iommu.queue",
          "iommu.interrupt",
          "iommu.amd",
          "iommu.smmu",
          "iommu",
          "iommu.driver");

  private static final Set<String> DRIVERS_MAY_USE =
      Set.of("kernel", "stats", "trace", "memory", "cpu", "dma");

  /** What the PCI specification fixes: any driver has it in its headers. */
  private static final Set<String> CONSTANTS_OF_PCI = Set.of("ConfigLayout", "CapabilityId");

  private static final Set<String> FORBIDDEN_CALLS =
      Set.of(
          "java.lang.System.nanoTime",
          "java.lang.System.currentTimeMillis",
          "java.lang.Math.random");

  private static final JavaClasses CLASSES = load();

  private static JavaClasses load() {
    // Names are enough of classes that are not ours; reading them too takes most of the time.
    ArchConfiguration.get().setResolveMissingDependenciesFromClassPath(false);
    return new ClassFileImporter()
        .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
        .importPackages("io.github.bellwire");
  }

  @Test
  void shouldSeeTheClassesOfAllModules() {
    assertThat(CLASSES.stream().map(JavaClass::getFullName))
        .contains(ROOT + "kernel.Simulation", ROOT + "trace.TraceSink", ROOT + "examples.Main");
  }

  @Test
  void shouldKnowEveryPackage() {
    assertThat(CLASSES.stream().filter(c -> !c.getPackageName().isEmpty()))
        .allSatisfy(c -> assertThat(ORDER).contains(role(c)));
  }

  @Test
  void shouldUseOnlyPackagesThatStandBefore() {
    assertThat(violations(CLASSES, ArchitectureTest::isBackward)).isEmpty();
  }

  @Test
  void shouldKeepTheOrderInsideTheIommu() {
    assertThat(CLASSES.stream().filter(c -> isOurs(c) && isIn(c, "iommu")))
        .isNotEmpty()
        .allSatisfy(c -> assertThat(IOMMU_ORDER).contains(relativeName(c)));
    assertThat(
            violations(
                CLASSES,
                (from, to) ->
                    isIn(from, "iommu")
                        && isIn(to, "iommu")
                        && IOMMU_ORDER.indexOf(relativeName(to))
                            > IOMMU_ORDER.indexOf(relativeName(from))))
        .isEmpty();
  }

  @Test
  void shouldKeepDevicesApartFromTheIommu() {
    assertThat(violations(CLASSES, (from, to) -> isHardwareOrDriver(from) && isIn(to, "iommu")))
        .isEmpty();
  }

  @Test
  void shouldKeepDeviceKindsApart() {
    assertThat(
            violations(
                CLASSES,
                (from, to) ->
                    isHardwareOrDriver(from) && isHardwareOrDriver(to) && !sameKind(from, to)))
        .isEmpty();
  }

  @Test
  void shouldWriteDriversAgainstCpuAndDmaOnly() {
    assertThat(violations(CLASSES, (from, to) -> isIn(from, "driver") && !driverMayUse(from, to)))
        .isEmpty();
  }

  @Test
  void shouldReadNoWallClockInModels() {
    assertThat(forbiddenCalls(ArchitectureTest::isModel)).isEmpty();
  }

  @Test
  void shouldLogOnlyThroughSlf4j() {
    assertThat(
            CLASSES.stream()
                .flatMap(from -> from.getDirectDependenciesFromSelf().stream())
                .filter(d -> d.getTargetClass().getPackageName().startsWith("java.util.logging")))
        .isEmpty();
  }

  @Test
  void shouldFindWhatItLooksFor() {
    // This package reads the trace package, so the rule turned round must find something.
    assertThat(violations(CLASSES, (from, to) -> isIn(from, "examples") && isIn(to, "trace")))
        .isNotEmpty();
    // The entry point hands the wall clock to the command line.
    assertThat(forbiddenCalls(c -> c.getSimpleName().equals("Main"))).hasSize(1);
    assertThat(role("device.nic")).isEqualTo("device");
    assertThat(role("device.nic.driver")).isEqualTo("driver");
    assertThat(role("examples.cli")).isEqualTo("examples");
  }

  private interface Rule {
    boolean isBrokenBy(JavaClass from, JavaClass to);
  }

  private static List<String> violations(JavaClasses classes, Rule rule) {
    List<String> found = new ArrayList<>();
    for (JavaClass from : classes) {
      for (Dependency dependency : from.getDirectDependenciesFromSelf()) {
        JavaClass to = dependency.getTargetClass().getBaseComponentType();
        if (isOurs(from) && isOurs(to) && rule.isBrokenBy(from, to)) {
          found.add(dependency.getDescription());
        }
      }
    }
    return found;
  }

  /** Calls and method references. */
  private static List<String> forbiddenCalls(Predicate<JavaClass> isChecked) {
    return CLASSES.stream()
        .filter(isChecked)
        .flatMap(from -> from.getCodeUnitAccessesFromSelf().stream())
        .filter(
            access ->
                FORBIDDEN_CALLS.contains(
                    access.getTargetOwner().getName() + "." + access.getTarget().getName()))
        .map(access -> access.getDescription())
        .toList();
  }

  private static boolean isBackward(JavaClass from, JavaClass to) {
    return ORDER.indexOf(role(to)) > ORDER.indexOf(role(from));
  }

  private static boolean driverMayUse(JavaClass from, JavaClass to) {
    boolean isOwnPackage = from.getPackageName().equals(to.getPackageName());
    boolean isOwnLayout = sameKind(from, to) && isIn(to, "device") && isLayout(to);
    boolean isOfPci = isIn(to, "pcie") && CONSTANTS_OF_PCI.contains(to.getSimpleName());
    return isOwnPackage || isOwnLayout || isOfPci || DRIVERS_MAY_USE.contains(role(to));
  }

  /** Offsets and bit fields without state, or an enumeration or record inside such a class. */
  private static boolean isLayout(JavaClass type) {
    JavaClass outer = type;
    while (outer.getEnclosingClass().isPresent()) {
      outer = outer.getEnclosingClass().get();
    }
    return outer.getSimpleName().matches("\\w+(Layout|Registers)")
        && outer.getFields().stream()
            .allMatch(
                field ->
                    field
                        .getModifiers()
                        .containsAll(Set.of(JavaModifier.STATIC, JavaModifier.FINAL)));
  }

  private static boolean isModel(JavaClass type) {
    return !isIn(type, "examples") && !isIn(type, "bench");
  }

  private static boolean isHardwareOrDriver(JavaClass type) {
    return isIn(type, "device") || isIn(type, "driver");
  }

  /** Packages of one device share the name behind "device". */
  private static boolean sameKind(JavaClass left, JavaClass right) {
    return isHardwareOrDriver(right) && kind(left).equals(kind(right));
  }

  private static String kind(JavaClass type) {
    return type.getPackageName().split("\\.")[4];
  }

  private static boolean isOurs(JavaClass type) {
    return type.getPackageName().startsWith(ROOT);
  }

  private static boolean isIn(JavaClass type, String role) {
    return role(type).equals(role);
  }

  private static String role(JavaClass type) {
    return role(relativeName(type));
  }

  private static String relativeName(JavaClass type) {
    return type.getPackageName().substring(ROOT.length());
  }

  private static String role(String relative) {
    String[] parts = relative.split("\\.");
    if (relative.equals("dma.check")) {
      return "check";
    }
    boolean isDriver = parts[0].equals("device") && List.of(parts).contains("driver");
    return isDriver ? "driver" : parts[0];
  }
}
