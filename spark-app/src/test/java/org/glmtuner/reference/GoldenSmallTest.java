package org.glmtuner.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.glmtuner.reference.GoldenTable.cosine;
import static org.glmtuner.reference.GoldenTable.relativeDistance;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.glmtuner.cluster.Checkout;
import org.glmtuner.cluster.GoldenRows;
import org.glmtuner.config.Precision;
import org.glmtuner.config.TrainingConfig.LossAverage;
import org.glmtuner.data.Sample;
import org.glmtuner.model.PrefixEncoder;
import org.glmtuner.nativeddp.PrefixDropout;
import org.glmtuner.reference.BothModels.Result;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The cases base and p8 of the golden model {@code small}, made with the official code. */
class GoldenSmallTest {
  private static final Path GOLDEN = Checkout.goldenSmall();
  private static final int BATCH = 6;

  @TempDir Path cache;

  private static JsonObject golden(String name) throws Exception {
    return JsonParser.parseString(Files.readString(GOLDEN.resolve(name).resolve("case.json")))
        .getAsJsonObject();
  }

  private List<Sample> batch(BothModels models) throws Exception {
    return GoldenRows.samples(GOLDEN, models.config()).subList(0, BATCH);
  }

  private static void checkLosses(
      String name, JsonObject golden, List<Sample> batch, double[] losses, double[] tolerances) {
    double sum = 0;
    int labels = 0;
    for (int i = 0; i < BATCH; i++) {
      sum += losses[i];
      labels += batch.get(i).labelCount();
      double expected = golden.getAsJsonArray("row_loss").get(i).getAsDouble();
      double loss = losses[i] / batch.get(i).labelCount();
      GoldenTable.check(name, "loss of row " + i, expected, loss, tolerances[1]);
    }
    double expected = golden.get("batch_loss").getAsDouble();
    GoldenTable.check(name, "batch loss", expected, sum / labels, tolerances[0]);
  }

  @Test
  void theBaseHasTheOfficialLosses() throws Exception {
    try (BothModels models = BothModels.open(GOLDEN.resolve("model"), Precision.FP32, cache)) {
      List<Sample> batch = batch(models);
      List<double[]> losses = models.baseLosses(batch);
      double[] exact = {2e-5, 2e-5};
      checkLosses("small/case-base, oracle", golden("case-base"), batch, losses.get(0), exact);
      checkLosses("small/case-base, native", golden("case-base"), batch, losses.get(1), exact);
    }
    try (BothModels models = BothModels.open(GOLDEN.resolve("model"), Precision.BF16, cache)) {
      List<Sample> batch = batch(models);
      checkLosses(
          "small/case-base, native BF16",
          golden("case-base"),
          batch,
          models.baseLosses(batch).get(1),
          new double[] {2e-2, 0.1});
    }
  }

  @Test
  void aPrefixHasTheOfficialLossesAndGradient() throws Exception {
    for (Precision precision : Precision.values()) {
      try (BothModels models = BothModels.open(GOLDEN.resolve("model"), precision, cache)) {
        boolean exact = precision == Precision.FP32;
        NDManager manager = models.manager();
        List<Sample> batch = batch(models);
        JsonObject golden = golden("case-p8");
        String name = "small/case-p8, native " + precision;
        int labels = batch.stream().mapToInt(Sample::labelCount).sum();
        PrefixEncoder encoder = new PrefixEncoder(manager, models.config(), 8);
        String tensor = encoder.parameters().keySet().iterator().next();
        encoder
            .parameters()
            .get(tensor)
            .set(FloatBuffer.wrap(read("prefix-init/p8/prefix.safetensors", tensor, manager)));
        NDArray keysAndValues = encoder.keysAndValues(manager);
        Result result =
            models.natively(batch, keysAndValues, PrefixDropout.NONE, LossAverage.TOKEN);
        checkLosses(
            name,
            golden,
            batch,
            result.losses(),
            exact ? new double[] {2e-5, 2e-5} : new double[] {2e-2, 0.1});
        float[] expected = read("case-p8/grads.safetensors", tensor, manager);
        float[] gradient = parameterGradient(encoder, result, labels, manager);
        GoldenTable.checkDistance(
            name, "gradient", relativeDistance(gradient, expected), exact ? 1e-4 : 0.04);
        assertThat(cosine(gradient, expected)).isGreaterThanOrEqualTo(0.999);
        if (exact) {
          double norm = golden.get("grad_norm").getAsDouble();
          GoldenTable.check(name, "gradient norm", norm, GoldenTable.norm(gradient), 1e-4 * norm);
          Result oracle = models.reference(batch, keysAndValues, null, LossAverage.TOKEN);
          checkLosses(
              "small/case-p8, oracle", golden, batch, oracle.losses(), new double[] {2e-5, 2e-5});
          GoldenTable.checkDistance(
              "small/case-p8, oracle",
              "gradient",
              relativeDistance(parameterGradient(encoder, oracle, labels, manager), expected),
              1e-4);
        }
      }
    }
  }

  private static float[] parameterGradient(
      PrefixEncoder encoder, Result result, int labels, NDManager manager) {
    NDArray gradient = manager.create(result.gradient()).div(labels);
    Map<String, NDArray> gradients = encoder.gradients(gradient);
    return gradients.values().iterator().next().toFloatArray();
  }

  private static float[] read(String file, String tensor, NDManager manager) throws Exception {
    return ReferenceWeights.read(GOLDEN.resolve(file), manager).get(tensor).toFloatArray();
  }
}
