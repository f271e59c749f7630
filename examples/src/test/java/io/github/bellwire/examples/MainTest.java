package io.github.bellwire.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the program as users do: in a process of its own. */
class MainTest {
  @TempDir private Path directory;

  @Test
  void shouldExitWithZeroAndSayNothingOnStandardErrorWhenDone() throws Exception {
    assertThat(run("list")).isZero();

    assertThat(text("out")).startsWith("scenario");
    assertThat(text("err")).isEmpty();
  }

  @Test
  void shouldExitWithTwoAndOneLineWhenTheRequestIsWrong() throws Exception {
    assertThat(run("nic-rxx")).isEqualTo(2);

    assertThat(text("out")).isEmpty();
    assertThat(text("err")).hasLineCount(1).startsWith("bellwire: unknown scenario nic-rxx; did");
  }

  private int run(String... args) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(List.of(args));
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(directory.resolve("out").toFile())
            .redirectError(directory.resolve("err").toFile())
            .start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return process.exitValue();
  }

  private String text(String name) throws IOException {
    return Files.readString(directory.resolve(name), StandardCharsets.UTF_8);
  }
}
