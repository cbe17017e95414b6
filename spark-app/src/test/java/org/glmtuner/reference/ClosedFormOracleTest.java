package org.glmtuner.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.glmtuner.reference.GoldenTable.relativeDistance;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.glmtuner.config.Precision;
import org.glmtuner.config.TrainingConfig;
import org.glmtuner.config.TrainingConfig.LossAverage;
import org.glmtuner.model.ChatGlmConfig.Prefix;
import org.glmtuner.model.PrefixEncoder;
import org.glmtuner.model.PrefixTensor;
import org.glmtuner.optimizer.HfAdamW;
import org.glmtuner.optimizer.LinearSchedule;
import org.glmtuner.reference.BothModels.Encoded;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The closed-form model: the oracle and the native code against the official code and each other.
 */
class ClosedFormOracleTest {
  private static final int[] LABELS = {4, 7};

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

  private PrefixEncoder encoder(boolean projection) {
    PrefixEncoder encoder =
        PrefixEncoder.create(
            models.manager(), models.config(), new Prefix(ClosedForm.PREFIX_LENGTH, projection));
    ClosedForm.fill(encoder);
    return encoder;
  }

  private static double mean(double[] losses, LossAverage average) {
    return average == LossAverage.TOKEN
        ? (losses[0] + losses[1]) / (LABELS[0] + LABELS[1])
        : (losses[0] / LABELS[0] + losses[1] / LABELS[1]) / 2;
  }

  private static double divisor(LossAverage average) {
    return average == LossAverage.TOKEN ? LABELS[0] + LABELS[1] : LABELS.length;
  }

  private Encoded compute(String who, PrefixEncoder encoder, LossAverage average) {
    return who.equals("oracle")
        ? models.reference(ClosedForm.ROWS, encoder, average)
        : models.natively(ClosedForm.ROWS, encoder, average);
  }

  private static double norm(Encoded result, String tensor) {
    return GoldenTable.norm(result.gradients().get(tensor));
  }

  @Test
  void lossesAndGradientsAreTheOfficialOnes() {
    PrefixEncoder encoder = encoder(false);
    for (String who : List.of("oracle", "native")) {
      String golden = "closed form, " + who;
      Encoded result = compute(who, encoder, LossAverage.TOKEN);
      double[] losses = result.losses();
      GoldenTable.check(golden, "loss", 7.0294600, mean(losses, LossAverage.TOKEN), 2e-5);
      GoldenTable.check(golden, "loss of row 0", 8.0596523, losses[0] / LABELS[0], 2e-5);
      GoldenTable.check(golden, "loss of row 1", 6.4407792, losses[1] / LABELS[1], 2e-5);
      GoldenTable.check(golden, "mean of means", 7.2502155, mean(losses, LossAverage.SAMPLE), 2e-5);
      checkEmbedding(
          golden,
          result.gradients().get(PrefixTensor.EMBEDDING),
          new double[] {8.890069e-2, 1.104398, -3.163158e-2},
          new double[] {1.627956e-3, -3.089914e-3, -2.760520e-3});
      Encoded ofMeans = compute(who, encoder, LossAverage.SAMPLE);
      GoldenTable.check(
          golden,
          "gradient norm, mean of means",
          9.036418e-2,
          norm(ofMeans, PrefixTensor.EMBEDDING) / 2,
          9.0e-6);
    }
  }

  @Test
  void lossesAndGradientsAreTheOfficialOnesWithProjection() {
    PrefixEncoder encoder = encoder(true);
    for (String who : List.of("oracle", "native")) {
      String golden = "closed form, projected, " + who;
      Encoded result = compute(who, encoder, LossAverage.TOKEN);
      double[] losses = result.losses();
      GoldenTable.check(golden, "loss", 7.0698209, mean(losses, LossAverage.TOKEN), 2e-5);
      GoldenTable.check(golden, "loss of row 0", 8.2554770, losses[0] / LABELS[0], 2e-5);
      GoldenTable.check(golden, "loss of row 1", 6.3923035, losses[1] / LABELS[1], 2e-5);
      checkEmbedding(
          golden,
          result.gradients().get(PrefixTensor.EMBEDDING),
          new double[] {1.354231e-1, 1.069226, 8.604636e-2},
          new double[] {2.773390e-2, -1.379802e-3, 1.010439e-3});
      GoldenTable.check(
          golden,
          "gradient norm of trans.0.weight",
          5.128576e-1,
          norm(result, PrefixTensor.HIDDEN_WEIGHT) / 11,
          5e-5);
      GoldenTable.check(
          golden,
          "gradient norm of trans.2.weight",
          3.660371e-1,
          norm(result, PrefixTensor.OUTPUT_WEIGHT) / 11,
          4e-5);
    }
  }

  /**
   * @param sums the gradient's L2 norm, the sum of its absolute values, its sum
   * @param first its first entries
   */
  private static void checkEmbedding(
      String golden, float[] gradient, double[] sums, double[] first) {
    double absolute = 0;
    double sum = 0;
    for (float value : gradient) {
      absolute += Math.abs(value);
      sum += value;
    }
    double norm = GoldenTable.norm(gradient) / 11;
    GoldenTable.check(golden, "gradient norm", sums[0], norm, 1e-4 * sums[0]);
    GoldenTable.check(golden, "gradient, absolute sum", sums[1], absolute / 11, 1e-4 * sums[1]);
    GoldenTable.check(golden, "gradient, sum", sums[2], sum / 11, 1e-4 * sums[1]);
    for (int i = 0; i < first.length; i++) {
      GoldenTable.check(golden, "gradient, entry " + i, first[i], gradient[i] / 11, 1e-6);
    }
  }

  @Test
  void hiddenStatesAndLogitsAreTheOfficialOnes() {
    double[][] logits = {
      {0.638018, 4.287270, -0.496555, 1.469405, 0.084793, -0.464356, -0.403237, 0.435478},
      {-0.163986, 3.742721, 0.212235, 0.451584, -0.383389, 0.101810, -0.349879, 0.199217}
    };
    for (boolean projection : new boolean[] {false, true}) {
      NDManager manager = models.manager();
      NDArray prefix = encoder(projection).keysAndValues(manager);
      List<NDArray> states = models.oracle().states(ClosedForm.ROWS, prefix, manager);
      String golden = "closed form, " + (projection ? "projected, " : "") + "oracle";
      for (int i = 0; i < 8; i++) {
        int row = i / 4;
        int t = row == 0 ? 4 : 6;
        int token = row == 0 ? i : 101 + i - 4;
        NDArray last = states.get(2).get(new NDIndex("{}, {}", row, t)).expandDims(0);
        GoldenTable.check(
            golden,
            "logit of token " + token + ", row " + row,
            logits[projection ? 1 : 0][i],
            models.oracle().logits(last).getFloat(0, token),
            2e-5);
      }
      if (!projection) {
        double[] hidden = {-2.3214176, 2.9323349, -12.9081583};
        for (int i = 0; i < hidden.length; i++) {
          float value = states.get(1).getFloat(0, 4, i);
          GoldenTable.check(golden, "output of layer 0, entry " + i, hidden[i], value, 2e-5);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void nativeGradientsAreTheOraclesElementByElement(boolean projection) {
    PrefixEncoder encoder = encoder(projection);
    for (LossAverage average : LossAverage.values()) {
      Encoded expected = compute("oracle", encoder, average);
      Encoded result = compute("native", encoder, average);
      assertThat(result.gradients().keySet()).isEqualTo(expected.gradients().keySet());
      expected
          .gradients()
          .forEach(
              (name, gradient) ->
                  assertThat(relativeDistance(result.gradients().get(name), gradient))
                      .as(name)
                      .isLessThan(2e-5));
    }
  }

  @Test
  void fiveOptimiserStepsWithTokensAveraged() {
    double[] expected = {7.029460, 7.007425, 6.989868, 6.976725, 6.967971, 6.963594};
    for (String who : List.of("oracle", "native")) {
      checkSteps(who, LossAverage.TOKEN, 1.0, expected);
    }
  }

  @Test
  void fiveOptimiserStepsClipped() {
    double[] expected = {7.029460, 7.007428, 6.989868, 6.976721, 6.967962, 6.963583};
    for (String who : List.of("oracle", "native")) {
      checkSteps(who, LossAverage.TOKEN, 0.05, expected);
    }
  }

  @Test
  void fiveOptimiserStepsWithSamplesAveraged() {
    double[] expected = {7.250216, 7.228047, 7.210300, 7.196982, 7.188100};
    for (String who : List.of("oracle", "native")) {
      checkSteps(who, LossAverage.SAMPLE, 1.0, expected);
    }
  }

  private void checkSteps(String who, LossAverage average, double clipNorm, double[] expected) {
    List<Double> losses = fiveSteps(who, average, clipNorm);
    for (int i = 0; i < expected.length; i++) {
      GoldenTable.check(
          "closed form, " + who + ", " + average + ", clip " + clipNorm,
          "loss after " + i + " steps",
          expected[i],
          losses.get(i),
          2e-5);
    }
  }

  /** The losses before each step and after the last one. */
  private List<Double> fiveSteps(String who, LossAverage average, double clipNorm) {
    PrefixEncoder encoder = encoder(false);
    TrainingConfig.Optimizer settings = new TrainingConfig.Optimizer(0.02, 0, clipNorm);
    LinearSchedule schedule = new LinearSchedule(settings.learningRate(), 5);
    List<Double> losses = new ArrayList<>();
    try (HfAdamW optimizer = new HfAdamW(models.manager(), encoder.parameters(), settings, 1)) {
      for (int step = 0; step <= 5; step++) {
        Encoded result = compute(who, encoder, average);
        losses.add(mean(result.losses(), average));
        if (step < 5) {
          Map<String, NDArray> gradients = new LinkedHashMap<>();
          encoder
              .parameters()
              .forEach(
                  (name, parameter) -> {
                    NDArray gradient = models.manager().zeros(parameter.getShape());
                    FloatBuffer official = FloatBuffer.wrap(result.gradients().get(name));
                    encoder.fill(gradient, array -> array.set(official));
                    gradients.put(name, gradient);
                  });
          double norm = optimizer.norm(gradients.values(), divisor(average));
          optimizer.step(gradients, divisor(average), norm, schedule.rate(step));
        }
      }
    }
    return losses;
  }
}
