package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.glmtuner.checkpoint.TensorFile;
import org.glmtuner.checkpoint.TensorSpec;
import org.glmtuner.reference.GoldenTable;
import org.glmtuner.storage.LocalFolder;

/** A golden training run, and what a run of ours is compared with it by. */
record GoldenTraining(GoldenModel model, String name, JsonObject trajectory) {
  static final int STEPS = 20;

  /** A run of {@code train}. */
  record Run(Path directory, List<JsonObject> metrics) {
    double[] logged(String quantity) {
      return metrics.stream().mapToDouble(step -> step.get(quantity).getAsDouble()).toArray();
    }

    Path checkpoint(int step) {
      return directory.resolve("checkpoint-" + step);
    }
  }

  static GoldenTraining of(GoldenModel model, String name) throws IOException {
    return new GoldenTraining(model, name, model.json(name + "/trajectory.json"));
  }

  boolean projection() {
    return trajectory.get("prefix_projection").getAsBoolean();
  }

  double clipNorm() {
    return trajectory.get("clip").getAsDouble();
  }

  Path initialPrefix() {
    return model.directory().resolve("prefix-init/p8" + (projection() ? "-proj" : ""));
  }

  /** How far losses in FP32 may be from the official ones. */
  double lossTolerance() {
    return projection() ? 2e-4 : 2e-5;
  }

  /** As {@link #lossTolerance}, for one row: the losses of steps are means of four. */
  double rowLossTolerance() {
    return projection() ? 5e-4 : 2e-5;
  }

  double[] rowLossAfter() {
    return trajectory.getAsJsonArray("row_loss_after").asList().stream()
        .mapToDouble(JsonElement::getAsDouble)
        .toArray();
  }

  /** A quantity of every step of the official run. */
  private double[] logged(String quantity) {
    return trajectory.getAsJsonArray("log").asList().stream()
        .mapToDouble(step -> step.getAsJsonObject().get(quantity).getAsDouble())
        .toArray();
  }

  void checkLosses(Run run, String label, int steps, double tolerance) {
    double[] expected = logged("loss");
    double[] losses = run.logged("loss");
    String row = this + label;
    for (int step : List.of(0, steps - 1)) {
      String quantity = "loss of step " + (step + 1);
      GoldenTable.check(row, quantity, expected[step], losses[step], tolerance);
    }
    double furthest =
        IntStream.range(0, steps)
            .mapToDouble(i -> Math.abs(losses[i] - expected[i]))
            .reduce(0, Math::max);
    GoldenTable.checkDistance(
        row, "loss of the furthest of " + steps + " steps", furthest, tolerance);
  }

  void checkNorms(Run run, String label) {
    double[] expected = logged("grad_norm_before_clip");
    double[] norms = run.logged("grad_norm");
    double furthest =
        IntStream.range(0, STEPS)
            .mapToDouble(i -> Math.abs(norms[i] / expected[i] - 1))
            .reduce(0, Math::max);
    GoldenTable.checkDistance(
        this + label,
        "gradient norm of the furthest step, relative",
        furthest,
        projection() ? 3e-4 : 1e-4);
  }

  void checkFirstStep(Run run, String label) throws IOException {
    String embedding = "transformer.prefix_encoder.embedding.weight";
    checkPrefix(
        label,
        "embedding.weight after step 1",
        GoldenModel.tensor(run.checkpoint(1).resolve("prefix.safetensors"), embedding),
        model.array(name + "/prefix_embedding_after_step1.npy"));
  }

  /** The last checkpoint: the prefix in both forms, and the moments where the golden has them. */
  void checkLastStep(Run run, String label) throws IOException {
    Path official = model.directory().resolve(name);
    Path expected = official.resolve("prefix_final.safetensors");
    Path ours = run.checkpoint(STEPS).resolve("prefix.safetensors");
    Path oursAsOfficial = run.checkpoint(STEPS).resolve("pytorch_model.bin");
    assertThat(tensors(ours)).containsExactlyInAnyOrderElementsOf(tensors(expected));
    assertThat(tensors(oursAsOfficial)).containsExactlyElementsOf(tensors(ours));
    for (String tensor : tensors(ours)) {
      float[] values = GoldenModel.tensor(ours, tensor);
      assertThat(GoldenModel.tensor(oursAsOfficial, tensor)).containsExactly(values);
      checkPrefix(
          label, "final " + shortened(tensor), values, GoldenModel.tensor(expected, tensor));
    }
    Path moments = official.resolve("adam_state_final.safetensors");
    if (Files.exists(moments)) {
      for (String tensor : tensors(moments)) {
        float[] values =
            GoldenModel.tensor(run.checkpoint(STEPS).resolve("optimizer.safetensors"), tensor);
        GoldenTable.checkDistance(
            this + label,
            "final " + shortened(tensor),
            GoldenTable.relativeDistance(values, GoldenModel.tensor(moments, tensor)),
            1e-4);
      }
    }
  }

  /** All are within 1e-3 and most within 1e-5: Adam divides by the root of tiny second moments. */
  private void checkPrefix(String label, String quantity, float[] got, float[] official) {
    GoldenTable.checkDistance(
        this + label, quantity, GoldenTable.greatestDistance(got, official), 1e-3);
    GoldenTable.checkDistance(
        this + label,
        quantity + ", share more than 1e-5 apart",
        GoldenTable.shareApart(got, official, 1e-5),
        0.1);
  }

  private static List<String> tensors(Path file) throws IOException {
    try (TensorFile tensors =
        TensorFile.open(new LocalFolder(file.getParent()), file.getFileName().toString())) {
      return tensors.tensors().stream().map(TensorSpec::name).toList();
    }
  }

  private static String shortened(String tensor) {
    return tensor.replace("transformer.prefix_encoder.", "");
  }

  @Override
  public String toString() {
    return model + "/" + name;
  }
}
