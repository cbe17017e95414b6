package org.glmtuner.benchmark;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.glmtuner.config.Precision;
import org.glmtuner.data.Sample;
import org.glmtuner.wire.StepReport;

/**
 * A step computed twice: by the ranks that are measured, and by {@link Settings#reference}, which
 * shares with them neither the matrix products nor the packing of rows nor the all-reduce.
 *
 * @param measured by the ranks that are measured
 * @param reference by the other
 */
record Verification(int rows, StepReport measured, StepReport reference, Precision precision) {
  /** The rows that are computed twice. */
  enum Extent {
    /** None: nothing is verified. */
    NONE,
    /** The first of each rank. */
    ROWS,
    /** All. */
    STEP
  }

  static Verification run(
      Settings settings, Path weights, List<List<Sample>> rows, StepReport measured)
      throws IOException, InterruptedException {
    List<Sample> all = rows.stream().flatMap(List::stream).toList();
    try (TrainingGroup group = TrainingGroup.start(settings.reference(), weights)) {
      StepReport reference = group.step(List.of(all)).get(0);
      group.finish();
      return new Verification(
          all.size(), measured, reference, settings.config().model().precision());
    }
  }

  /** The rows of a step that are computed twice. */
  static List<List<Sample>> select(List<List<Sample>> rows, Extent extent) {
    return extent == Extent.STEP ? rows : rows.stream().map(own -> own.subList(0, 1)).toList();
  }

  /** In BF16, products may round their inputs to it. */
  double lossTolerance() {
    return precision == Precision.FP32 ? 1e-5 : 2e-3;
  }

  double normTolerance() {
    return precision == Precision.FP32 ? 1e-3 : 2e-2;
  }

  /** Throws where the two differ. */
  void require() {
    String other = "one rank with engine.isa = generic";
    Agreement.require(other, reference.loss(), measured.loss(), lossTolerance(), "loss");
    Agreement.require(
        other, reference.gradientNorm(), measured.gradientNorm(), normTolerance(), "gradient norm");
  }

  JsonObject toJson() {
    JsonObject json = new JsonObject();
    json.addProperty("rows", rows);
    json.addProperty("loss", measured.loss());
    json.addProperty("reference_loss", reference.loss());
    json.addProperty("loss_tolerance", lossTolerance());
    json.addProperty("gradient_norm", measured.gradientNorm());
    json.addProperty("reference_gradient_norm", reference.gradientNorm());
    json.addProperty("gradient_norm_tolerance", normTolerance());
    return json;
  }
}
