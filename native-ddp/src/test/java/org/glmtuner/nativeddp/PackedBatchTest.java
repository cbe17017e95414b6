package org.glmtuner.nativeddp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class PackedBatchTest {
  @Test
  void samplesArePackedInOrderAndCopied() {
    int[] tokens = {5, 6, 7};
    PackedBatch batch =
        PackedBatch.builder()
            .add(9, tokens, new int[] {-100, 6, 7}, 2, 1, 0.5f)
            .add(1L << 40, new int[] {8}, new int[] {4}, 0, 0, 1)
            .build();
    tokens[0] = 99;
    assertThat(batch.samples()).isEqualTo(2);
    assertThat(batch.rows()).isEqualTo(4);
    assertThat(batch.tokens).containsExactly(5, 6, 7, 8);
    assertThat(batch.targets).containsExactly(-100, 6, 7, 4);
    assertThat(batch.entries).containsExactly(9, 1L << 40);
    assertThat(batch.shapes).containsExactly(3, 2, 1, 1, 0, 0);
    assertThat(batch.weights).containsExactly(0.5f, 1);
  }

  @Test
  void sopNeedNotBeAnInput() {
    // a prompt of one token whose only label is sop itself: the inputs are the token and [gMASK]
    assertThat(sample(new int[] {7, 1}, new int[] {-100, 4}, 2, 1, 1).build().shapes)
        .containsExactly(2, 2, 1);
  }

  @Test
  void samplesThatCannotBeRightAreRefusedByEntry() {
    int[] two = {1, 2};
    refused(
        () -> sample(new int[0], new int[0], 0, 0, 1),
        "Invalid number of tokens of entry 7: 0 (must be positive)");
    refused(
        () -> sample(two, new int[1], 0, 0, 1),
        "Invalid number of targets of entry 7: 1 (must be that of its tokens, 2)");
    refused(
        () -> sample(two, two, 3, 0, 1),
        "Invalid context length of entry 7: 3 (must be from 0 to its number of tokens, 2)");
    refused(
        () -> sample(two, two, -1, 0, 1),
        "Invalid context length of entry 7: -1 (must be from 0 to its number of tokens, 2)");
    refused(
        () -> sample(two, two, 1, 2, 1),
        "Invalid mask position of entry 7: 2 (must be from 0 to 1)");
    refused(
        () -> sample(two, two, 1, -1, 1),
        "Invalid mask position of entry 7: -1 (must be from 0 to 1)");
    refused(
        () -> sample(two, two, 1, 0, Float.NaN), "Invalid weight of entry 7: NaN (must be finite)");
    refused(
        () -> sample(new int[] {1, -2}, two, 1, 0, 1),
        "Invalid token of entry 7: -2 (must not be negative)");
    refused(
        () -> sample(two, new int[] {1, -99}, 1, 0, 1),
        "Invalid target of entry 7: -99 (must not be negative, or -100 for none)");
  }

  @Test
  void anEmptyBatchIsRefused() {
    refused(
        () -> PackedBatch.builder().build(), "Invalid batch: no samples (must have at least one)");
  }

  private static PackedBatch.Builder sample(
      int[] tokens, int[] targets, int contextLength, int maskPosition, float weight) {
    return PackedBatch.builder().add(7, tokens, targets, contextLength, maskPosition, weight);
  }

  private static void refused(ThrowingCallable call, String message) {
    assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class).hasMessage(message);
  }
}
