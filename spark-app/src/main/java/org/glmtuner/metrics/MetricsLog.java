package org.glmtuner.metrics;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import org.glmtuner.storage.Directory;
import org.glmtuner.storage.LineLog;

/**
 * {@code metrics.jsonl} of a run over all its attempts: one line for each logged step, in order,
 * none twice.
 */
public final class MetricsLog implements Closeable {
  public static final String FILE = "metrics.jsonl";
  private static final String PREVIOUS = ".metrics.previous";

  private final LineLog log;

  private MetricsLog(LineLog log) {
    this.log = log;
  }

  /**
   * Opens the log of an attempt that starts after {@code stepsDone} steps; lines of later steps,
   * which will be done again, go.
   */
  public static MetricsLog open(Directory run, long stepsDone) throws IOException {
    // The old file is moved aside first: a driver that dies while the lines are copied loses none
    // of them.
    if (run.contains(FILE) && !run.contains(PREVIOUS)) {
      run.rename(FILE, PREVIOUS);
    }
    List<String> kept =
        stepsDone == 0
            ? List.of() // the base is measured again
            : lines(run, PREVIOUS).stream()
                .filter(line -> StepRecord.stepOf(line) <= stepsDone)
                .toList();
    LineLog log = run.openLog(FILE);
    for (String line : kept) {
      log.append(line);
    }
    run.delete(PREVIOUS);
    return new MetricsLog(log);
  }

  /**
   * The numbers of a run so far, as its log has them; null where it has none.
   *
   * @param firstLoss of the first record, {@code lastLoss} of the newest
   * @param baseEvalLoss of the base without a prefix
   * @param bestEvalLoss least one with the prefix
   */
  public record Summary(
      Double firstLoss, Double lastLoss, Double baseEvalLoss, Double bestEvalLoss) {}

  public static Summary summary(Directory run) throws IOException {
    Double first = null;
    Double last = null;
    Double base = null;
    Double best = null;
    for (String line : lines(run, FILE)) {
      JsonObject record = JsonParser.parseString(line).getAsJsonObject();
      if (record.has("loss")) {
        last = record.get("loss").getAsDouble();
        first = first == null ? last : first;
      } else if (record.has("eval_loss")) {
        double loss = record.get("eval_loss").getAsDouble();
        if (!record.get("with_prefix").getAsBoolean()) {
          base = loss;
        } else if (Double.isFinite(loss) && (best == null || loss < best)) {
          best = loss;
        }
      }
    }
    return new Summary(first, last, base, best);
  }

  /**
   * The lines of a run's log, each an object; nothing where it has none yet. Whole lines only: the
   * last one may have been cut by the death of its driver.
   */
  public static List<String> lines(Directory run) throws IOException {
    return lines(run, FILE);
  }

  private static List<String> lines(Directory run, String file) throws IOException {
    return run.readText(file).stream()
        .flatMap(String::lines)
        .filter(line -> line.endsWith("}"))
        .toList();
  }

  public void append(StepRecord record) throws IOException {
    log.append(record.toJson());
  }

  public void append(EvaluationRecord record) throws IOException {
    log.append(record.toJson());
  }

  @Override
  public void close() throws IOException {
    log.close();
  }
}
