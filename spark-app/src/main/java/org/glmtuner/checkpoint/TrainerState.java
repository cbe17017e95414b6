package org.glmtuner.checkpoint;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.glmtuner.failure.TunerException;

/**
 * {@code trainer_state.json}: where a run stands apart from its tensors.
 *
 * @param globalStep steps done, those that were skipped included
 * @param optimizerUpdates steps that changed the parameters
 * @param nonFiniteSteps steps that were skipped because of a non-finite loss or gradient
 * @param bestEvalLoss least loss on the validation rows so far; null where there was none
 * @param evaluationsSinceBest measurements that were not better
 */
public record TrainerState(
    long globalStep,
    long optimizerUpdates,
    int nonFiniteSteps,
    Double bestEvalLoss,
    int evaluationsSinceBest) {
  public static final String FILE = "trainer_state.json";

  private static final Gson GSON =
      new GsonBuilder()
          .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
          .setPrettyPrinting()
          .create();

  /** A run that has not started. */
  public static TrainerState start() {
    return new TrainerState(0, 0, 0, null, 0);
  }

  public void write(Path directory) throws IOException {
    Files.writeString(directory.resolve(FILE), GSON.toJson(this) + "\n");
  }

  public static TrainerState read(Path directory) throws IOException {
    try {
      return GSON.fromJson(Files.readString(directory.resolve(FILE)), TrainerState.class);
    } catch (JsonParseException e) {
      throw TunerException.damaged(
          "Cannot read " + directory.resolve(FILE) + ": " + e.getMessage(), e);
    }
  }
}
