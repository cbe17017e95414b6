package org.glmtuner.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.glmtuner.reference.GoldenTable.relativeDistance;

import ai.djl.ndarray.NDArray;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.glmtuner.config.Precision;
import org.glmtuner.config.TrainingConfig;
import org.glmtuner.config.TrainingConfig.LossAverage;
import org.glmtuner.model.PrefixEncoder;
import org.glmtuner.nativeddp.PrefixDropout;
import org.glmtuner.optimizer.HfAdamW;
import org.glmtuner.optimizer.LinearSchedule;
import org.glmtuner.reference.BothModels.Result;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The closed-form model: the oracle and the native code against the official code and each other.
 */
class ClosedFormOracleTest {
  private static final int[] LABELS = {4, 7};
  private static final String WEIGHT = "transformer.prefix_encoder.embedding.weight";

  @TempDir Path directory;
  private BothModels models;
  private PrefixEncoder encoder;

  @BeforeEach
  void open() throws Exception {
    ClosedForm.write(directory);
    models = BothModels.open(directory, Precision.FP32, directory.resolve("cache"));
    encoder = new PrefixEncoder(models.manager(), models.config(), ClosedForm.PREFIX_LENGTH);
    encoder.parameters().get(WEIGHT).set(FloatBuffer.wrap(ClosedForm.embedding()));
  }

  @AfterEach
  void close() {
    models.close();
  }

  private static double mean(double[] losses, LossAverage average) {
    return average == LossAverage.TOKEN
        ? (losses[0] + losses[1]) / (LABELS[0] + LABELS[1])
        : (losses[0] / LABELS[0] + losses[1] / LABELS[1]) / 2;
  }

  private static double divisor(LossAverage average) {
    return average == LossAverage.TOKEN ? LABELS[0] + LABELS[1] : LABELS.length;
  }

  private Result compute(String who, NDArray keysAndValues, LossAverage average) {
    return who.equals("oracle")
        ? models.reference(ClosedForm.ROWS, keysAndValues, null, average)
        : models.natively(ClosedForm.ROWS, keysAndValues, PrefixDropout.NONE, average);
  }

  @Test
  void lossesAndGradientsAreTheOfficialOnes() {
    NDArray keysAndValues = encoder.keysAndValues(models.manager());
    for (String who : List.of("oracle", "native")) {
      String golden = "closed form, " + who;
      Result result = compute(who, keysAndValues, LossAverage.TOKEN);
      double[] losses = result.losses();
      GoldenTable.check(golden, "loss", 7.0294600, mean(losses, LossAverage.TOKEN), 2e-5);
      GoldenTable.check(golden, "loss of row 0", 8.0596523, losses[0] / LABELS[0], 2e-5);
      GoldenTable.check(golden, "loss of row 1", 6.4407792, losses[1] / LABELS[1], 2e-5);
      GoldenTable.check(golden, "mean of means", 7.2502155, mean(losses, LossAverage.SAMPLE), 2e-5);
      GoldenTable.check(
          golden, "gradient norm", 8.890069e-2, GoldenTable.norm(result.gradient()) / 11, 8.9e-6);
      Result ofMeans = compute(who, keysAndValues, LossAverage.SAMPLE);
      GoldenTable.check(
          golden,
          "gradient norm, mean of means",
          9.036418e-2,
          GoldenTable.norm(ofMeans.gradient()) / 2,
          9.0e-6);
    }
  }

  @Test
  void theNativeGradientIsTheOraclesElementByElement() {
    NDArray keysAndValues = encoder.keysAndValues(models.manager());
    for (LossAverage average : LossAverage.values()) {
      Result expected = compute("oracle", keysAndValues, average);
      Result result = compute("native", keysAndValues, average);
      assertThat(relativeDistance(result.gradient(), expected.gradient())).isLessThan(2e-5);
    }
  }

  @Test
  void fiveOptimiserStepsWithTokensAveraged() {
    double[] expected = {7.029460, 7.007425, 6.989868, 6.976725, 6.967971, 6.963594};
    for (String who : List.of("oracle", "native")) {
      checkSteps(who, LossAverage.TOKEN, expected);
    }
  }

  @Test
  void fiveOptimiserStepsWithSamplesAveraged() {
    double[] expected = {7.250216, 7.228047, 7.210300, 7.196982, 7.188100};
    for (String who : List.of("oracle", "native")) {
      checkSteps(who, LossAverage.SAMPLE, expected);
    }
  }

  private void checkSteps(String who, LossAverage average, double[] expected) {
    encoder.parameters().get(WEIGHT).set(FloatBuffer.wrap(ClosedForm.embedding()));
    List<Double> losses = fiveSteps(who, average);
    for (int i = 0; i < expected.length; i++) {
      GoldenTable.check(
          "closed form, " + who + ", " + average,
          "loss after " + i + " steps",
          expected[i],
          losses.get(i),
          2e-5);
    }
  }

  /** The losses before each step and after the last one. */
  private List<Double> fiveSteps(String who, LossAverage average) {
    TrainingConfig.Optimizer settings = new TrainingConfig.Optimizer(0.02, 0, 1.0);
    HfAdamW optimizer = new HfAdamW(models.manager(), encoder.parameters(), settings, 1);
    LinearSchedule schedule = new LinearSchedule(settings.learningRate(), 5);
    List<Double> losses = new ArrayList<>();
    for (int step = 0; step <= 5; step++) {
      Result result = compute(who, encoder.keysAndValues(models.manager()), average);
      losses.add(mean(result.losses(), average));
      if (step < 5) {
        NDArray gradient =
            models.manager().create(result.gradient()).reshape(2, 2, ClosedForm.PREFIX_LENGTH, 32);
        Map<String, NDArray> gradients = encoder.gradients(gradient);
        double norm = optimizer.norm(gradients.values(), divisor(average));
        optimizer.step(gradients, divisor(average), norm, schedule.rate(step));
      }
    }
    return losses;
  }
}
