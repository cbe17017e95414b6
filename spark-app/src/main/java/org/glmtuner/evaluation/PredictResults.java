package org.glmtuner.evaluation;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.Optional;

/**
 * {@code predict_results.json} of the official script, as its trainer's {@code save_metrics} writes
 * it: keys in alphabetical order, four blanks of indentation.
 */
public final class PredictResults {
  public static final String NAME = "predict_results.json";

  private PredictResults() {}

  /**
   * The whole file. {@code predict_samples} is the number of rows; there is no {@code
   * predict_loss}, since official evaluation by generation has none.
   *
   * @param runtime what generating and scoring took; without it, as for a file of predictions,
   *     there is no {@code predict_runtime} and no {@code predict_samples_per_second}. Batches of
   *     ours are not the official ones: {@code predict_steps_per_second} is never there
   */
  public static String json(Evaluation evaluation, Optional<Duration> runtime) {
    JsonObject results = new JsonObject();
    results.addProperty("predict_bleu-4", evaluation.mean().bleu4());
    results.addProperty("predict_rouge-1", evaluation.mean().rouge1());
    results.addProperty("predict_rouge-2", evaluation.mean().rouge2());
    results.addProperty("predict_rouge-l", evaluation.mean().rougeL());
    runtime
        .map(time -> time.toNanos() / 1e9)
        .ifPresent(seconds -> results.addProperty("predict_runtime", rounded(seconds, 4)));
    results.addProperty("predict_samples", evaluation.samples());
    runtime
        .map(time -> evaluation.samples() / (time.toNanos() / 1e9))
        .ifPresent(rate -> results.addProperty("predict_samples_per_second", rounded(rate, 3)));
    return indented(results);
  }

  private static double rounded(double value, int decimals) {
    return new BigDecimal(value).setScale(decimals, RoundingMode.HALF_EVEN).doubleValue();
  }

  private static String indented(JsonObject results) {
    StringWriter text = new StringWriter();
    try (JsonWriter writer = new JsonWriter(text)) {
      writer.setIndent("    ");
      new Gson().toJson(results, writer);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.toString();
  }
}
