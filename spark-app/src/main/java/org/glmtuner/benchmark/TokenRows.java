package org.glmtuner.benchmark;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.glmtuner.data.RowOutcome;
import org.glmtuner.data.RowParser;
import org.glmtuner.data.Sample;
import org.glmtuner.data.SampleRules;
import org.glmtuner.failure.TunerException;

/** The samples of a file of tokens, in its order and from its start again where they run out. */
record TokenRows(List<Sample> samples) {

  /**
   * Reads JSON lines with {@code input_ids} and {@code labels}, folded into the model's vocabulary.
   *
   * @throws TunerException (exit code 6) naming the first line that cannot be used
   */
  static TokenRows read(Path file, ModelShape model) {
    if (!Files.isRegularFile(file)) {
      throw TunerException.damaged("Cannot read " + file + ": there is no such file");
    }
    RowParser<Sample> parser = RowParser.tokens(SampleRules.of(model.config()), model::fold);
    List<Sample> samples = new ArrayList<>();
    try (BufferedReader lines = Files.newBufferedReader(file)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        RowOutcome<Sample> outcome = parser.parse(samples.size(), line);
        if (!(outcome instanceof RowOutcome.Accepted<Sample> accepted)) {
          throw TunerException.damaged(
              "Cannot use line "
                  + (samples.size() + 1)
                  + " of "
                  + file
                  + ": "
                  + (outcome instanceof RowOutcome.Rejected<Sample> rejected
                      ? rejected.reason()
                      : "it is empty"));
        }
        samples.add(accepted.value());
      }
    } catch (IOException e) {
      throw TunerException.damaged("Cannot read " + file + ": " + e, e);
    }
    if (samples.isEmpty()) {
      throw TunerException.damaged("Cannot use " + file + ": it has no rows");
    }
    return new TokenRows(List.copyOf(samples));
  }

  /** Rows of about {@code tokens} tokens for each rank, in the order of the file. */
  List<List<Sample>> dealtByTokens(int ranks, int tokens) {
    List<List<Sample>> dealt = new ArrayList<>();
    int next = 0;
    for (int rank = 0; rank < ranks; rank++) {
      List<Sample> own = new ArrayList<>();
      int sum = 0;
      int length = samples.get(next % samples.size()).length();
      while (own.isEmpty() || sum + length - tokens < tokens - sum) { // nearer than without it
        own.add(samples.get(next % samples.size()));
        sum += length;
        next++;
        length = samples.get(next % samples.size()).length();
      }
      dealt.add(List.copyOf(own));
    }
    return dealt;
  }

  /** Rows {@code [rank * rows, (rank + 1) * rows)} for each rank. */
  List<List<Sample>> dealt(int ranks, int rows) {
    List<List<Sample>> dealt = new ArrayList<>();
    for (int rank = 0; rank < ranks; rank++) {
      List<Sample> own = new ArrayList<>();
      for (int row = rank * rows; row < (rank + 1) * rows; row++) {
        own.add(samples.get(row % samples.size()));
      }
      dealt.add(List.copyOf(own));
    }
    return dealt;
  }
}
