package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/**
 * The README shows what the program prints and what the build compiles. What was measured on one
 * machine, or names it, may differ. {@code -Dbellwire.updateGolden=true} writes the parts between
 * the markers anew.
 */
@Order(Integer.MAX_VALUE) // behind the page whose summary it shows
class ReadmeTest {
  private static final Path ROOT = Path.of("..");
  private static final Path README = ROOT.resolve("README.md");
  private static final String PACKAGE_ROOT = "src/main/java/io/github/bellwire/";
  private static final boolean IS_UPDATE = Boolean.getBoolean("bellwire.updateGolden");
  private static final Pattern MODULE_ROW =
      Pattern.compile("^\\| (?:`([a-z-]+)`)? *\\| (?:`([a-z.]+)` )?\\|", Pattern.MULTILINE);

  @Test
  void shouldShowWhatTheFirstCommandPrints() throws Exception {
    Tool tool = Tool.run("nic-rx");

    assertThat(tool.code()).isZero();
    String shown = block("output: nic-rx", "", IS_UPDATE ? outputOfNewProcess() : "");
    assertThat(withoutMachine(shown)).isEqualTo(withoutMachine(tool.out()));
  }

  @Test
  void shouldShowTheSampleThatTheBuildCompiles() throws IOException {
    String source =
        Files.readString(
            Path.of(PACKAGE_ROOT + "examples/EmbeddingSample.java"), StandardCharsets.UTF_8);
    Matcher region =
        Pattern.compile("\n    // region sample\n(.*)\n    // endregion\n", Pattern.DOTALL)
            .matcher(source);
    assertThat(region.find()).isTrue();
    String code = region.group(1).replaceAll("(?m)^    ", "") + "\n";

    assertThat(block("sample: EmbeddingSample", "java", code)).isEqualTo(code);
    assertThat(code.lines().filter(line -> !line.isBlank())).hasSizeLessThanOrEqualTo(15);
  }

  @Test
  void shouldRunTheSample() {
    PrintStream stdout = System.out;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
      EmbeddingSample.main(new String[0]);
    } finally {
      System.setOut(stdout);
    }

    assertThat(bytes.toString(StandardCharsets.UTF_8)).matches("received after [1-9][0-9]* ns\\R");
  }

  @Test
  void shouldShowTheCommandsThatTheBuildServerRuns() throws IOException {
    assertThat(Files.readAllLines(README))
        .contains("mvn verify", "mvn -q -pl examples -am compile exec:java -Dexec.args=\"nic-rx\"");
  }

  @Test
  void shouldMapEveryModuleAndPackage() throws IOException {
    List<String> mappedModules = new ArrayList<>();
    List<String> mapped = new ArrayList<>();
    Matcher row = MODULE_ROW.matcher(text());
    String module = "";
    while (row.find()) {
      if (row.group(1) != null) {
        module = row.group(1);
        mappedModules.add(module);
      }
      if (row.group(2) != null) {
        mapped.add(module + "/" + PACKAGE_ROOT + row.group(2).replace('.', '/'));
      }
    }

    List<String> existing = new ArrayList<>();
    for (String name : modules()) {
      try (Stream<Path> files = Files.walk(ROOT.resolve(name))) {
        files
            .filter(file -> file.toString().replace('\\', '/').contains("/" + PACKAGE_ROOT))
            .filter(file -> file.endsWith("package-info.java"))
            .map(file -> ROOT.relativize(file.getParent()).toString().replace('\\', '/'))
            // The command line's own parts are no business of the map.
            .filter(path -> !path.contains("/bellwire/examples/"))
            .forEach(existing::add);
      }
    }
    assertThat(mappedModules).containsExactlyElementsOf(modules());
    assertThat(mapped).containsExactlyInAnyOrderElementsOf(existing);
  }

  @Test
  void shouldShowTheSummaryOfTheValidationPage() throws IOException {
    String page = Files.readString(Path.of("docs/validation.md"), StandardCharsets.UTF_8);
    Matcher summary = Pattern.compile("\\| What \\|.*?(?=\n\n)", Pattern.DOTALL).matcher(page);
    assertThat(summary.find()).isTrue();
    Matcher shown =
        Pattern.compile("(<!-- validation -->\n)(.*?)(\n<!-- /validation -->)", Pattern.DOTALL)
            .matcher(text());
    assertThat(shown.find()).isTrue();
    if (IS_UPDATE || Boolean.getBoolean("bellwire.updateValidation")) {
      String block = shown.group(1) + summary.group() + shown.group(3);
      Files.writeString(README, shown.replaceFirst(Matcher.quoteReplacement(block)));
      return;
    }

    assertThat(shown.group(2)).isEqualTo(summary.group());
  }

  @Test
  void shouldLinkToFilesThatExist() throws IOException {
    Matcher link = Pattern.compile("\\]\\(([^):#]+)\\)").matcher(text());
    int links = 0;
    while (link.find()) {
      assertThat(ROOT.resolve(link.group(1))).exists();
      links++;
    }
    assertThat(links).isGreaterThan(3);
  }

  @Test
  void shouldNameScenariosThatExist() throws IOException {
    Matcher table =
        Pattern.compile("\\| arguments \\| [^\n]*\n(.*?)\n\n", Pattern.DOTALL).matcher(text());
    assertThat(table.find()).isTrue();
    Set<String> named = new TreeSet<>();
    for (String row : table.group(1).split("\n")) {
      Matcher argument = Pattern.compile("`([a-z-]+)[ `]").matcher(row.split("\\|")[1]);
      while (argument.find()) {
        named.add(argument.group(1));
      }
    }
    named.removeAll(Set.of("list", "describe"));
    assertThat(named)
        .containsExactlyInAnyOrderElementsOf(Scenarios.all().stream().map(s -> s.name()).toList());
  }

  private static List<String> modules() throws IOException {
    String pom = Files.readString(ROOT.resolve("pom.xml"), StandardCharsets.UTF_8);
    Matcher module = Pattern.compile("<module>([a-z-]+)</module>").matcher(pom);
    List<String> modules = new ArrayList<>();
    while (module.find()) {
      modules.add(module.group(1));
    }
    assertThat(modules).isNotEmpty();
    return modules;
  }

  /** Returns what users see, speed included: a virtual machine that is not warm yet. */
  private static String outputOfNewProcess() throws Exception {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String classPath = System.getProperty("java.class.path");
    Process process =
        new ProcessBuilder(java, "-cp", classPath, Main.class.getName(), "nic-rx").start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isZero();
    return output;
  }

  /** Returns the fenced block between two markers, after writing it anew if asked to. */
  private static String block(String marker, String language, String today) throws IOException {
    String name = marker.substring(0, marker.indexOf(':'));
    Pattern pattern =
        Pattern.compile(
            "(<!-- " + marker + " -->\n```" + language + "\n)(.*?)(```\n<!-- /" + name + " -->)",
            Pattern.DOTALL);
    Matcher matcher = pattern.matcher(text());
    assertThat(matcher.find()).as(marker).isTrue();
    if (!IS_UPDATE) {
      return matcher.group(2);
    }
    String block = matcher.group(1) + today + matcher.group(3);
    Files.writeString(README, matcher.replaceFirst(Matcher.quoteReplacement(block)));
    return today;
  }

  private static String text() throws IOException {
    return Files.readString(README, StandardCharsets.UTF_8);
  }

  /** Takes out speed and JDK; they also decide where the last paragraph is wrapped. */
  private static String withoutMachine(String output) {
    int provenance = output.lastIndexOf("\n\n");
    String report = output.substring(0, provenance);
    String last = output.substring(provenance).replaceAll("\\s+", " ");
    return report.replaceAll("[0-9.,]+( [kM])? per wall second", "# per wall second")
        + last.replaceAll("JDK [^,]+,", "JDK #,")
            .replaceAll("[0-9.,]+ \\w+ real time", "# real time");
  }
}
