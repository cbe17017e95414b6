package org.glmtuner.benchmark;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.glmtuner.config.Precision;
import org.glmtuner.data.Sample;

/**
 * A step computed twice: by the ranks that are measured, and by {@link Settings#reference}, which
 * shares with them neither the matrix products nor the packing of rows nor the all-reduce.
 *
 * @param rows of the step over all ranks
 * @param measured by the ranks that are measured, of the very step that is timed
 * @param reference by the other
 */
record Verification(int rows, StepResult measured, StepResult reference, Precision precision) {
  private static final String OTHER = "one rank with engine.isa = generic";

  /** Whether a result is computed twice. */
  enum Extent {
    NONE,
    STEP
  }

  /** What the ranks' step has to come to. */
  static StepResult reference(Settings settings, Path weights, List<List<Sample>> rows)
      throws IOException, InterruptedException {
    List<List<Sample>> all = List.of(rows.stream().flatMap(List::stream).toList());
    try (TrainingGroup group = TrainingGroup.start(settings.reference(), weights)) {
      StepResult result = group.result(group.step(all).get(0));
      group.finish();
      return result;
    }
  }

  /** In BF16, products may round their inputs to it. */
  double lossTolerance() {
    return precision == Precision.FP32 ? 1e-5 : 2e-3;
  }

  double normTolerance() {
    return precision == Precision.FP32 ? 1e-3 : 2e-2;
  }

  /**
   * Of the gradient of a layer's keys or values. Rounding inputs to BF16 came to 5e-3 of it at
   * ChatGLM-6B's width, other orders of summation to 1e-4, both growing little with the layers. One
   * of n equal tokens that is wrong comes to 1 / sqrt(n), of 1,500 to 2.6e-2; a wrong row of a
   * batch, block of a product or layer to far more.
   */
  double gradientTolerance() {
    return precision == Precision.FP32 ? 1e-3 : 2e-2;
  }

  /** Throws where the two differ. */
  void require() {
    Agreement.require(
        OTHER, reference.report().loss(), measured.report().loss(), lossTolerance(), "loss");
    Agreement.require(
        OTHER,
        reference.report().gradientNorm(),
        measured.report().gradientNorm(),
        normTolerance(),
        "gradient norm");
    difference().require(OTHER, gradientTolerance());
  }

  private GradientDifference difference() {
    return GradientDifference.of(reference.gradient(), measured.gradient());
  }

  JsonObject toJson() {
    JsonObject json = new JsonObject();
    json.addProperty("rows", rows);
    json.addProperty("loss", measured.report().loss());
    json.addProperty("reference_loss", reference.report().loss());
    json.addProperty("loss_tolerance", lossTolerance());
    json.addProperty("gradient_norm", measured.report().gradientNorm());
    json.addProperty("reference_gradient_norm", reference.report().gradientNorm());
    json.addProperty("gradient_norm_tolerance", normTolerance());
    GradientDifference difference = difference();
    json.add("key_gradient_differences", GradientDifference.json(difference.keys()));
    json.add("value_gradient_differences", GradientDifference.json(difference.values()));
    json.addProperty("gradient_difference_tolerance", gradientTolerance());
    return json;
  }
}
