package org.glmtuner.cli;

import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.glmtuner.evaluation.Evaluation;
import org.glmtuner.evaluation.PredictResults;
import org.glmtuner.evaluation.Prediction;
import org.glmtuner.evaluation.PredictionFile;
import org.glmtuner.storage.NewFile;

/**
 * The files of an evaluation under their official names. They are begun before the work, so that a
 * directory which cannot be written costs nothing, and appear when they are complete.
 */
final class ScoreFiles implements Closeable {
  private final Optional<NewFile> results;
  private final Optional<NewFile> predictions;

  private ScoreFiles(Optional<NewFile> results, Optional<NewFile> predictions) {
    this.results = results;
    this.predictions = predictions;
  }

  /**
   * Begins the files.
   *
   * @param directory empty for none
   * @param withAnswers false where the answers are in a file already
   * @throws org.glmtuner.failure.TunerException (exit code 2) where it cannot be written
   */
  static ScoreFiles begin(String directory, boolean withAnswers) {
    if (directory.isEmpty()) {
      return new ScoreFiles(Optional.empty(), Optional.empty());
    }
    Optional<NewFile> predictions =
        withAnswers
            ? Optional.of(NewFile.begin(directory + "/" + PredictionFile.NAME))
            : Optional.empty();
    return new ScoreFiles(
        Optional.of(NewFile.begin(directory + "/" + PredictResults.NAME)), predictions);
  }

  /** Completes them. */
  void store(Evaluation evaluation, List<Prediction> answers, Optional<Duration> runtime)
      throws IOException {
    if (predictions.isPresent()) {
      try (Writer writer = writer(predictions.get())) {
        for (Prediction answer : answers) { // the official file has no white space around texts
          writer.write(
              PredictionFile.line(new Prediction(answer.labels().strip(), answer.predict().strip()))
                  + "\n");
        }
      }
      predictions.get().commit();
    }
    if (results.isPresent()) {
      try (Writer writer = writer(results.get())) {
        writer.write(PredictResults.json(evaluation, runtime));
      }
      results.get().commit();
    }
  }

  private static Writer writer(NewFile file) {
    return new OutputStreamWriter(file.stream(), StandardCharsets.UTF_8);
  }

  @Override
  public void close() throws IOException {
    if (predictions.isPresent()) {
      predictions.get().close();
    }
    if (results.isPresent()) {
      results.get().close();
    }
  }
}
