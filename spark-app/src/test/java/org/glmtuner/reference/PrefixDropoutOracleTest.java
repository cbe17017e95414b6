package org.glmtuner.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.glmtuner.reference.GoldenTable.relativeDistance;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.glmtuner.config.Precision;
import org.glmtuner.config.TrainingConfig.LossAverage;
import org.glmtuner.model.Handles;
import org.glmtuner.nativeddp.PrefixDropout;
import org.glmtuner.reference.BothModels.Result;
import org.glmtuner.wire.Entry;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Prefix dropout against the oracle, to which the masks are given as numbers. */
class PrefixDropoutOracleTest {
  private static final PrefixDropout DROPOUT = new PrefixDropout(0.1, 42);
  private static final Shape PREFIX = new Shape(2, 2, ClosedForm.PREFIX_LENGTH, 32);

  @TempDir Path directory;
  private BothModels models;

  @BeforeEach
  void open() throws Exception {
    ClosedForm.write(directory);
    models = BothModels.open(directory, Precision.FP32, directory.resolve("cache"));
  }

  @AfterEach
  void close() {
    models.close();
  }

  /** 1 where the entry keeps an element, 0 where not. */
  private NDArray mask(long entry, Shape shape) {
    NDArray mask = models.manager().zeros(shape);
    DROPOUT.writeMask(entry, Handles.of(mask));
    return mask;
  }

  @Test
  void eachSampleSeesThePrefixThroughItsOwnMask() {
    NDArray prefix = models.manager().create(ClosedForm.embedding()).reshape(PREFIX);
    NDArray masks =
        NDArrays.stack(new NDList(mask(0, PREFIX), mask(1, PREFIX)), 0).div(1 - DROPOUT.rate());
    Result expected = models.reference(ClosedForm.ROWS, prefix, masks, LossAverage.SAMPLE);
    Result result = models.natively(ClosedForm.ROWS, prefix, DROPOUT, LossAverage.SAMPLE);
    Result without =
        models.natively(ClosedForm.ROWS, prefix, PrefixDropout.NONE, LossAverage.SAMPLE);
    assertThat(result.losses()).containsExactly(expected.losses(), within(1e-4));
    assertThat(relativeDistance(result.gradient(), expected.gradient())).isLessThan(2e-5);
    assertThat(relativeDistance(result.gradient(), without.gradient())).isGreaterThan(0.05);
  }

  @Test
  void masksDoNotDependOnHowSamplesAreDealtToRanksAndMicroBatches() {
    NDArray prefix = models.manager().create(ClosedForm.embedding()).reshape(PREFIX);
    List<Entry> entries =
        IntStream.range(100, 108).mapToObj(i -> new Entry(i, ClosedForm.ROWS.get(i % 2))).toList();
    Result whole = models.natively(prefix, entries, DROPOUT, LossAverage.SAMPLE);
    assertThat(whole.losses()[0]).isNotEqualTo(whole.losses()[2]); // the same row, another mask
    for (int ranks : List.of(1, 2, 4)) {
      for (int microBatch : List.of(1, 2)) {
        float[] gradient = new float[(int) PREFIX.size()];
        for (int rank = 0; rank < ranks; rank++) {
          List<Integer> own = new ArrayList<>();
          for (int i = rank; i < entries.size(); i += ranks) {
            own.add(i);
          }
          for (int start = 0; start < own.size(); start += microBatch) {
            List<Integer> part = own.subList(start, Math.min(start + microBatch, own.size()));
            Result result =
                models.natively(
                    prefix, part.stream().map(entries::get).toList(), DROPOUT, LossAverage.SAMPLE);
            for (int i = 0; i < part.size(); i++) {
              assertThat(result.losses()[i]).isCloseTo(whole.losses()[part.get(i)], within(2e-5));
            }
            for (int i = 0; i < gradient.length; i++) {
              gradient[i] += result.gradient()[i];
            }
          }
        }
        assertThat(relativeDistance(gradient, whole.gradient())).isLessThan(2e-6);
      }
    }
  }

  @Test
  void nineOfTenKeysAndAsManyValuesAreKept() {
    NDArray mask = mask(7, new Shape(4, 2, 128, 256));
    for (int keyOrValue = 0; keyOrValue < 2; keyOrValue++) {
      NDArray half = mask.get(new NDIndex(":, {}", keyOrValue));
      assertThat(half.mean().getFloat()).isCloseTo(0.9f, within(0.003f));
    }
    assertThat(mask.get(new NDIndex(":, 0")).eq(mask.get(new NDIndex(":, 1"))).all().getBoolean())
        .isFalse();
    assertThat(List.of(mask.min().getFloat(), mask.max().getFloat())).containsExactly(0f, 1f);
  }
}
