package org.glmtuner.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DataFingerprintTest {
  private final List<Sample> samples =
      new ArrayList<>(IntStream.range(0, 50).mapToObj(i -> sample(i, i % 7, -100)).toList());

  private static Sample sample(long id, int token, int label) {
    return new Sample(
        id, new int[] {101, 104, token, 105}, new int[] {-100, 104, label, 105}, 1, 0);
  }

  private static DataFingerprint sum(List<Sample> samples) {
    return samples.stream()
        .map(DataFingerprint::of)
        .reduce(DataFingerprint.EMPTY, DataFingerprint::plus);
  }

  @Test
  void isTheSameForEverySplitAndOrderOfTheWork() {
    DataFingerprint whole = sum(samples);
    assertThat(sum(samples.subList(0, 20)).plus(sum(samples.subList(20, 50)))).isEqualTo(whole);
    Collections.shuffle(samples, new Random(1));
    assertThat(sum(samples)).isEqualTo(whole);
    assertThat(whole.toString()).matches("50-[0-9a-f]{16}");
  }

  @Test
  void changesWithTheDataAndItsOrder() {
    String whole = sum(samples).toString();
    assertThat(sum(samples.subList(0, 49)).toString()).isNotEqualTo(whole);
    Sample third = samples.set(3, sample(3, 4, -100));
    assertThat(sum(samples).toString()).as("other token").isNotEqualTo(whole);
    samples.set(3, sample(3, 3, 3));
    assertThat(sum(samples).toString()).as("other label").isNotEqualTo(whole);
    samples.set(3, sample(4, 3, -100));
    samples.set(4, sample(3, 4, -100));
    assertThat(sum(samples).toString()).as("two rows exchanged").isNotEqualTo(whole);
    samples.set(3, third);
    samples.set(4, sample(4, 4, -100));
    assertThat(sum(samples)).hasToString(whole);
  }

  @Test
  void staysTheSameFromReleaseToRelease() {
    // sha256 of the big-endian id 1, length 4, ids and labels
    assertThat(DataFingerprint.of(sample(1, 7, -100))).hasToString("1-3e58317aeade5d32");
  }
}
