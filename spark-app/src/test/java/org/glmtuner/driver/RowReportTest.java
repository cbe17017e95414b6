package org.glmtuner.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.junit.jupiter.api.Test;

class RowReportTest {
  private final List<JudgedRow<String>> rows = new ArrayList<>();

  private void good(int count) {
    for (int i = 0; i < count; i++) {
      rows.add(new JudgedRow<>("F", rows.size() + 1, "一", null, null));
    }
  }

  private void malformed(int count) {
    for (int i = 0; i < count; i++) {
      rows.add(new JudgedRow<>("F", rows.size() + 1, null, "it is not JSON", null));
    }
  }

  private void empty() {
    rows.add(new JudgedRow<>("F", rows.size() + 1, null, null, "its column b is empty"));
  }

  @Test
  void namesTheFirstMalformedRowsThoughTheyAreFewEnough() {
    good(96);
    empty();
    malformed(4);
    RowReport report = RowReport.of(rows);
    assertThat(report)
        .hasToString(
            "96 samples, 4 malformed rows, 1 empty ones; F, row 98: it is not JSON;"
                + " F, row 99: it is not JSON; F, row 100: it is not JSON");
    assertThat(report.unused())
        .extracting(UnusedRow::row)
        .containsExactly(98L, 99L, 100L, 101L, 97L);
    assertThatCode(() -> report.check("data.validation", "rows", 0.04)).doesNotThrowAnyException();
  }

  @Test
  void refusesTooManyMalformedRowsWhereEmptyOnesDoNotCount() {
    good(97);
    empty();
    malformed(3);
    assertThatThrownBy(() -> RowReport.of(rows).check("data.train", "rows", 0.02))
        .hasMessage(
            "Cannot use rows (data.train): 3 of 100 rows are malformed,"
                + " data.max-rejected-share allows 0.02; F, row 99: it is not JSON")
        .extracting(e -> ((TunerException) e).exitCode())
        .isEqualTo(ExitCode.DAMAGED);
  }

  @Test
  void refusesRowsNoneOfWhichCanBeUsed() {
    empty();
    assertThatThrownBy(() -> RowReport.of(rows).check("data.validation", "rows", 0.01))
        .hasMessage(
            "Cannot use rows (data.validation): 0 samples, 0 malformed rows, 1 empty ones;"
                + " F, row 1: its column b is empty");
  }
}
