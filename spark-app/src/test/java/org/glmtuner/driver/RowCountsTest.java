package org.glmtuner.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.glmtuner.data.CutSample;
import org.glmtuner.data.Sample;
import org.junit.jupiter.api.Test;

class RowCountsTest {
  private static final Sample SAMPLE =
      new Sample(0, new int[] {1, 101, 104, 105}, new int[] {-100, -100, 104, 105}, 2, 1);

  private static JudgedRow<CutSample> sample(int promptCut, int responseCut) {
    return new JudgedRow<>("F", 1, new CutSample(SAMPLE, promptCut, responseCut), null, null);
  }

  @Test
  void addUpToASentence() {
    RowCounts counts =
        Stream.of(
                sample(0, 0),
                sample(0, 3),
                sample(5, 4),
                new JudgedRow<CutSample>("F", 1, null, "it is not JSON", null),
                new JudgedRow<CutSample>("F", 2, null, null, "its column a is empty"),
                new JudgedRow<CutSample>("F", 3, null, null, "its column a is empty"))
            .map(RowCounts::of)
            .reduce(RowCounts.NONE, RowCounts::plus);
    assertThat(counts).isEqualTo(new RowCounts(3, 1, 2, 1, 5, 2, 7));
    assertThat(counts)
        .hasToString(
            "3 samples, 1 malformed rows, 2 empty ones; 1 prompts lose 5.0 tokens each"
                + " (data.max-source-length); 2 responses lose 3.5 tokens each"
                + " (data.max-target-length)");
  }

  @Test
  void sayNothingOfTextsThatFit() {
    assertThat(RowCounts.of(sample(0, 0))).hasToString("1 samples, 0 malformed rows, 0 empty ones");
  }
}
