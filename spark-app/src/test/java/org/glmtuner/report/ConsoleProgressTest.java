package org.glmtuner.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConsoleProgressTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  private List<String> lines() {
    return bytes.toString(StandardCharsets.UTF_8).lines().toList();
  }

  private ConsoleProgress withoutTerminal() {
    return new ConsoleProgress(new PrintStream(bytes, true, StandardCharsets.UTF_8), false);
  }

  @Test
  void itemsAreToldOncePerTenth() {
    try (ConsoleProgress progress = withoutTerminal()) {
      progress.expect("prompts", 40);
      progress.done(3);
      assertThat(lines()).isEmpty();
      progress.done(1);
      progress.done(3);
      progress.done(33);
      assertThat(lines()).hasSize(2);
      assertThat(lines().get(0)).matches("4 of 40 prompts, \\d+:\\d\\d:\\d\\d left");
      assertThat(lines().get(1)).isEqualTo("40 of 40 prompts, 0:00:00 left");
    }
  }

  @Test
  void whatARepeatedTaskAnswersAgainDoesNotGoBeyondTheEnd() {
    try (ConsoleProgress progress = withoutTerminal()) {
      progress.expect("prompts", 10);
      progress.done(10);
      progress.done(5);
      assertThat(lines()).containsExactly("10 of 10 prompts, 0:00:00 left");
    }
  }

  @Test
  void answersThatNobodyExpectsAreNotTold() {
    try (ConsoleProgress progress = withoutTerminal()) {
      progress.done(5);
      assertThat(lines()).isEmpty();
    }
  }
}
