package org.glmtuner.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.glmtuner.SharedData;
import org.glmtuner.checkpoint.TensorFile;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.SpecialIds;
import org.glmtuner.storage.LocalFolder;
import org.junit.jupiter.api.Test;

class SampleRulesTest {
  private static final int X = Sample.IGNORED;
  private static final SampleRules RULES =
      new SampleRules(new SpecialIds(100, 101, 104, 105, 3), 112, 8);

  @Test
  void cutsOffWhatFollowsTheLastLabel() throws RowException {
    Sample sample =
        sample(
            new int[] {11, 12, 101, 104, 21, 105, 3, 3}, new int[] {X, X, X, 104, 21, 105, X, X});
    assertThat(sample)
        .isEqualTo(
            new Sample(
                7, new int[] {11, 12, 101, 104, 21, 105}, new int[] {X, X, X, 104, 21, 105}, 3, 2));
    assertThat(sample.labelCount()).isEqualTo(3);
    assertThat(sample.length()).isEqualTo(6);
  }

  @Test
  void keepsTheSopEvenIfOnlyEarlierTokensAreLabelled() throws RowException {
    Sample sample = sample(new int[] {11, 12, 101, 104, 21}, new int[] {X, 12, X, X, X});
    assertThat(sample.inputIds()).containsExactly(11, 12, 101, 104);
    assertThat(sample.labelCount()).isEqualTo(1);
  }

  @Test
  void takesTheFirstSopAndTheFirstGlobalMaskElseTheFirstMask() throws RowException {
    int[] labels = {X, X, X, X, X, 9};
    assertThat(sample(new int[] {100, 101, 101, 104, 104, 9}, labels))
        .returns(3, Sample::contextLength)
        .returns(1, Sample::maskPosition);
    assertThat(sample(new int[] {8, 100, 100, 104, 9, 9}, labels)).returns(1, Sample::maskPosition);
  }

  @Test
  void neverCountsALabelOfTheFirstPosition() throws RowException {
    assertThat(sample(new int[] {101, 104, 5}, new int[] {101, X, 5}).labelCount()).isEqualTo(1);
    assertRejected(new int[] {101, 104, 5}, new int[] {101, X, X}, "all its labels are masked");
  }

  @Test
  void rejectsRowsWithoutALoss() {
    int[] labels = {X, X, 5};
    assertRejected(new int[] {101, 5, 5}, labels, "it has no <sop> (id 104)");
    assertRejected(
        new int[] {5, 104, 5}, labels, "it has neither [gMASK] (id 101) nor [MASK] (id 100)");
    assertRejected(new int[] {104, 101, 5}, labels, "its [gMASK] or [MASK] stands behind <sop>");
    assertRejected(new int[] {101, 104, 5}, new int[] {X, X, X}, "all its labels are masked");
    assertRejected(new int[] {}, new int[] {}, "it has no <sop> (id 104)");
    assertRejected(new int[] {101, 104, 5}, new int[] {5}, "it has 3 input_ids and 1 labels");
    assertRejected(new int[] {101, 104, 112}, labels, "input_ids[2] is 112 (0 to 111)");
    assertRejected(new int[] {101, -1, 5}, labels, "input_ids[1] is -1 (0 to 111)");
    assertRejected(new int[] {101, 104, 5}, new int[] {X, X, -99}, "labels[2] is -99 (0 to 111)");
  }

  @Test
  void measuresTheLengthWithoutPadding() throws RowException {
    int[] ids = Arrays.copyOf(new int[] {101, 104, 5, 5, 5, 5, 5, 105}, 12);
    int[] labels = new int[12];
    Arrays.fill(labels, X);
    labels[7] = 105;
    assertThat(sample(ids, labels).length()).isEqualTo(8);
    labels[8] = 3;
    assertRejected(ids, labels, "it has 9 tokens (at most 8, by the model's max_sequence_length)");
  }

  @Test
  void readsTheGoldenRows() throws IOException, RowException {
    LocalFolder folder = new LocalFolder(SharedData.require("data/golden/small"));
    SampleRules rules =
        SampleRules.of(
            ChatGlmConfig.read(new LocalFolder(SharedData.require("data/golden/small/model"))));
    try (TensorFile file = TensorFile.open(folder, "rows.safetensors")) {
      int shortened = 0;
      for (int row = 0; row < 24; row++) {
        int[] ids = row(file, "input_ids", row);
        int[] labels = row(file, "labels", row);
        Sample sample = rules.sample(row, new TrainingRow(ids, labels));
        assertThat(sample.inputIds()).endsWith(505).doesNotContain(3);
        assertThat(sample.labels()[sample.contextLength()]).isEqualTo(504);
        assertThat(sample.maskPosition()).isEqualTo(sample.contextLength() - 1);
        assertThat(new TrainingRow(sample.inputIds(), sample.labels()).padded(32, 3))
            .isEqualTo(new TrainingRow(ids, labels));
        shortened += sample.length() < 32 ? 1 : 0;
      }
      assertThat(shortened).isBetween(15, 23);
    }
  }

  private static int[] row(TensorFile file, String tensor, int row) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(32 * 4).order(ByteOrder.LITTLE_ENDIAN);
    file.readBytes(tensor, row * 128L, bytes);
    int[] values = new int[32];
    bytes.flip().asIntBuffer().get(values);
    return values;
  }

  private static Sample sample(int[] ids, int[] labels) throws RowException {
    return RULES.sample(7, new TrainingRow(ids, labels));
  }

  private static void assertRejected(int[] ids, int[] labels, String reason) {
    assertThatThrownBy(() -> sample(ids, labels))
        .isInstanceOf(RowException.class)
        .hasMessage(reason);
  }
}
