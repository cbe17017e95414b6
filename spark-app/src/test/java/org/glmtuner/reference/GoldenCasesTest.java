package org.glmtuner.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.glmtuner.reference.GoldenTable.relativeDistance;

import ai.djl.ndarray.NDArray;
import com.google.gson.JsonObject;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.glmtuner.cluster.GoldenModel;
import org.glmtuner.cluster.GoldenRows;
import org.glmtuner.config.EngineConfig.Isa;
import org.glmtuner.config.Precision;
import org.glmtuner.config.TrainingConfig.LossAverage;
import org.glmtuner.data.Sample;
import org.glmtuner.model.ChatGlmConfig.Prefix;
import org.glmtuner.model.PrefixEncoder;
import org.glmtuner.model.PrefixTensor;
import org.glmtuner.reference.BothModels.Encoded;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The cases base, p8 and p8-proj of the golden models: forward and backward of one batch. */
class GoldenCasesTest {
  private static final int LENGTH = 8;
  private static final double EXACT = 2e-5;

  @TempDir Path cache;

  private static List<Sample> batch(GoldenModel golden, BothModels models) throws Exception {
    return GoldenRows.samples(golden.directory(), models.config()).subList(0, golden.batch);
  }

  /** The initial prefix of a case. */
  static PrefixEncoder encoder(GoldenModel golden, BothModels models, boolean projection)
      throws Exception {
    PrefixEncoder encoder =
        PrefixEncoder.create(models.manager(), models.config(), new Prefix(LENGTH, projection));
    String file = "prefix-init/p8" + (projection ? "-proj" : "") + "/prefix.safetensors";
    for (Map.Entry<String, NDArray> parameter : encoder.parameters().entrySet()) {
      float[] values = golden.tensor(file, parameter.getKey());
      encoder.fill(parameter.getValue(), official -> official.set(FloatBuffer.wrap(values)));
    }
    return encoder;
  }

  private static void checkLosses(
      String name,
      JsonObject expected,
      List<Sample> batch,
      double[] losses,
      double tolerance,
      double rowTolerance) {
    double sum = 0;
    int labels = 0;
    double furthest = 0;
    for (int i = 0; i < losses.length; i++) {
      sum += losses[i];
      labels += batch.get(i).labelCount();
      double row = expected.getAsJsonArray("row_loss").get(i).getAsDouble();
      furthest = Math.max(furthest, Math.abs(losses[i] / batch.get(i).labelCount() - row));
    }
    double loss = expected.get("batch_loss").getAsDouble();
    GoldenTable.check(name, "batch loss", loss, sum / labels, tolerance);
    GoldenTable.checkDistance(name, "loss of the furthest row", furthest, rowTolerance);
  }

  private static Stream<Arguments> modelsAndPaths() {
    return InstructionPaths.with(Arrays.stream(GoldenModel.values()).map(Arguments::of).toList());
  }

  @ParameterizedTest
  @MethodSource("modelsAndPaths")
  void theBaseHasTheOfficialLosses(GoldenModel golden, Isa isa) throws Exception {
    InstructionPaths.require(isa);
    JsonObject expected = golden.json("case-base/case.json");
    String name = golden + "/case-base";
    try (BothModels models = BothModels.open(golden.model(), Precision.FP32, isa, cache)) {
      List<Sample> batch = batch(golden, models);
      List<double[]> losses = models.baseLosses(batch);
      checkLosses(name + ", oracle", expected, batch, losses.get(0), EXACT, EXACT);
      checkLosses(name + ", native " + isa.label(), expected, batch, losses.get(1), EXACT, EXACT);
    }
    try (BothModels models = BothModels.open(golden.model(), Precision.BF16, isa, cache)) {
      List<Sample> batch = batch(golden, models);
      double[] losses = models.baseLosses(batch).get(1);
      checkLosses(
          name + ", native BF16 " + isa.label(),
          expected,
          batch,
          losses,
          2e-2,
          golden.rowToleranceInBf16);
    }
  }

  @ParameterizedTest
  @MethodSource("modelsAndPaths")
  void aPrefixHasTheOfficialLossesAndGradients(GoldenModel golden, Isa isa) throws Exception {
    InstructionPaths.require(isa);
    for (boolean projection : new boolean[] {false, true}) {
      String name = golden + "/case-p8" + (projection ? "-proj" : "");
      try (BothModels models = BothModels.open(golden.model(), Precision.FP32, isa, cache)) {
        List<Sample> batch = batch(golden, models);
        PrefixEncoder encoder = encoder(golden, models, projection);
        Encoded oracle = models.reference(batch, encoder, LossAverage.TOKEN);
        check(golden, name, "oracle", batch, oracle, Precision.FP32);
        Encoded result = models.natively(batch, encoder, LossAverage.TOKEN);
        check(golden, name, "native " + isa.label(), batch, result, Precision.FP32);
      }
      try (BothModels models = BothModels.open(golden.model(), Precision.BF16, isa, cache)) {
        List<Sample> batch = batch(golden, models);
        PrefixEncoder encoder = encoder(golden, models, projection);
        Encoded result = models.natively(batch, encoder, LossAverage.TOKEN);
        check(golden, name, "native BF16 " + isa.label(), batch, result, Precision.BF16);
      }
    }
  }

  private static void check(
      GoldenModel golden,
      String golds,
      String who,
      List<Sample> batch,
      Encoded result,
      Precision precision)
      throws Exception {
    boolean exact = precision == Precision.FP32;
    String name = golds + ", " + who;
    String directory = golds.substring(golds.indexOf('/') + 1);
    JsonObject expected = golden.json(directory + "/case.json");
    double rowTolerance = exact ? EXACT : golden.rowToleranceInBf16;
    checkLosses(name, expected, batch, result.losses(), exact ? EXACT : 2e-2, rowTolerance);
    int labels = batch.stream().mapToInt(Sample::labelCount).sum();
    double squares = 0;
    for (Map.Entry<String, float[]> entry : result.gradients().entrySet()) {
      float[] gradient = divided(entry.getValue(), labels);
      float[] official = golden.tensor(directory + "/grads.safetensors", entry.getKey());
      String tensor = "gradient of " + entry.getKey().replace("transformer.prefix_encoder.", "");
      GoldenTable.checkDistance(
          name, tensor, relativeDistance(gradient, official), exact ? 1e-4 : 0.04);
      if (!exact) {
        GoldenTable.checkCosine(name, tensor, gradient, official, 0.999);
      }
      squares += Math.pow(GoldenTable.norm(gradient), 2);
    }
    float[] embedding = divided(result.gradients().get(PrefixTensor.EMBEDDING), labels);
    float[] official = golden.array(directory + "/prefix_embedding_grad.npy");
    assertThat(relativeDistance(embedding, official)).isLessThanOrEqualTo(exact ? 1e-4 : 0.04);
    double norm = expected.get("grad_norm").getAsDouble();
    GoldenTable.check(
        name, "gradient norm", norm, Math.sqrt(squares), (exact ? 1e-4 : 0.04) * norm);
  }

  private static float[] divided(float[] values, int divisor) {
    float[] result = Arrays.copyOf(values, values.length);
    for (int i = 0; i < result.length; i++) {
      result[i] /= divisor;
    }
    return result;
  }
}
