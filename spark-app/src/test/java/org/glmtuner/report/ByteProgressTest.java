package org.glmtuner.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.junit.jupiter.api.Test;

class ByteProgressTest {
  private final ByteArrayOutputStream shown = new ByteArrayOutputStream();
  private final AtomicBoolean cancelled = new AtomicBoolean();

  private ByteProgress progress(boolean terminal) {
    PrintStream out = new PrintStream(shown, true, StandardCharsets.UTF_8);
    return new ByteProgress(out, terminal, "converting", cancelled::get);
  }

  private String shown() {
    return shown.toString(StandardCharsets.UTF_8);
  }

  @Test
  void workThatIsSoonDoneSaysNothing() {
    try (ByteProgress progress = progress(false)) {
      progress.read(1);
      progress.written(1, 1);
    }
    assertThat(shown()).isEmpty();
  }

  @Test
  void waitingAndReplacingAreSaidAtOnce() {
    try (ByteProgress progress = progress(false)) {
      progress.waiting(Path.of("/a"));
      progress.replacing(Path.of("/a"), "it holds other tensors");
    }
    assertThat(shown().lines())
        .containsExactly(
            "Waiting for another process of this host to make /a",
            "Making /a anew: it holds other tensors");
  }

  @Test
  void aTerminalGetsABar() {
    try (ByteProgress progress = progress(true)) {
      progress.written(6_000_000, 12_000_000);
    }
    assertThat(shown()).contains("converting").contains("6/12 MB");
  }

  @Test
  void theWorkEndsWhereTheUserCancelsIt() {
    cancelled.set(true);
    try (ByteProgress progress = progress(false)) {
      assertThatThrownBy(() -> progress.written(1, 2))
          .isInstanceOfSatisfying(
              TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.CANCELLED))
          .hasMessage("Cannot go on converting: it was cancelled");
      assertThatThrownBy(() -> progress.read(1)).isInstanceOf(TunerException.class);
    }
  }
}
