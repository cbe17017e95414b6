package org.glmtuner.reference;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The committed table; that it is up to date is for whoever changes a number to see. */
class GoldenTableTest {
  private static final Path COMMITTED = Path.of("src/test/golden-table.md");

  @Test
  void everyCommittedNumberIsWithinItsTolerance() throws IOException {
    List<String> rows = GoldenTable.rows(COMMITTED);
    assertThat(rows).hasSizeGreaterThan(100);
    for (String row : rows) {
      String[] cells = row.split("\\|", -1);
      double expected = Double.parseDouble(cells[3].strip());
      double got = Double.parseDouble(cells[4].strip());
      double tolerance = Double.parseDouble(cells[5].strip());
      assertThat(Math.abs(got - expected)).as(row).isLessThanOrEqualTo(tolerance * 1.001);
    }
  }

  @Test
  void everyCaseAndRunOfBothGoldenModelsIsThere() throws IOException {
    String all = String.join("\n", GoldenTable.rows(COMMITTED));
    for (String model : List.of("small", "vocab")) {
      for (String name :
          List.of(
              "case-base, native generic |",
              "case-base, native avx2 |",
              "case-base, native avx512 |",
              "case-p8, native generic |",
              "case-p8, native avx2 |",
              "case-p8, native avx512 |",
              "case-p8-proj, native generic |",
              "case-p8-proj, native avx2 |",
              "case-p8-proj, native avx512 |",
              "case-base, native BF16 avx2 |",
              "case-base, native BF16 avx512 |",
              "case-base, native BF16 avx512bf16 |",
              "case-p8, native BF16 avx2 |",
              "case-p8, native BF16 avx512 |",
              "case-p8, native BF16 avx512bf16 |",
              "case-p8-proj, native BF16 avx2 |",
              "case-p8-proj, native BF16 avx512 |",
              "case-p8-proj, native BF16 avx512bf16 |",
              "train-p8, 1 rank |",
              "train-p8, 2 ranks |",
              "train-p8-clipped, 1 rank |",
              "train-p8-clipped, 2 ranks |",
              "train-p8-proj, 1 rank |",
              "train-p8-proj, 2 ranks |",
              "train-p8, 2 ranks, BF16 |",
              "train-p8-proj, 2 ranks, BF16 |",
              "train-p8, score |",
              "train-p8-clipped, score |",
              "train-p8-proj, score |")) {
        assertThat(all).contains("| " + model + "/" + name);
      }
    }
  }
}
