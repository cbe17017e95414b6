package org.glmtuner.driver;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;
import org.apache.spark.sql.SparkSession;
import org.glmtuner.config.TrainingConfig.LossAverage;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.executor.SampleLoss;
import org.glmtuner.executor.ScoreTask;

/** {@code score}: the teacher-forced loss of every row, with or without a prefix. */
public final class ScoreJob {
  private final SparkSession spark;
  private final TunerConfig config;
  private final Progress progress;
  private final Cancellation cancellation;

  public ScoreJob(
      SparkSession spark, TunerConfig config, Progress progress, Cancellation cancellation) {
    this.spark = spark;
    this.config = config;
    this.progress = progress;
    this.cancellation = cancellation;
  }

  /**
   * Scores the rows of {@code data.validation}, or of {@code data.train} where there are none.
   *
   * @param checkpoint directory of a prefix, {@code latest} for the newest of run.directory, or
   *     empty for the base alone
   * @param compareBase also scores with the base alone
   * @param lines receives a line of JSON for each row that can be used: id, loss (mean over its
   *     tokens), tokens. Ids count these rows alone, from 0, in the order of the files
   * @return the means over all rows, as the command's last line
   */
  public JsonObject run(String checkpoint, boolean compareBase, Consumer<String> lines)
      throws IOException, InterruptedException {
    ServeJob job = new ServeJob(spark, config, progress, cancellation);
    BaseFiles base = BaseFiles.open(config, job.settings());
    boolean validation = !config.data().validation().isEmpty();
    String key = validation ? "data.validation" : "data.train";
    String paths = validation ? config.data().validation() : config.data().train();
    RowTokenizer tokenizer = RowTokenizer.of(job.context(), base, config.data(), config.cache());
    List<SampleLoss> losses;
    try (ParsedRows rows =
        ParsedRows.of(
            RowFiles.find(job.context(), job.settings(), config.data(), key, paths), tokenizer)) {
      progress.say(key + ": " + rows.report());
      rows.report().check(key, paths, config.data().maxRejectedShare());
      progress.expect("rows", rows.report().counts().samples());
      losses = job.run(base, rows.samples(), checkpoint, compareBase, ScoreTask::new);
    }
    losses.stream()
        .sorted(Comparator.comparingLong(SampleLoss::id))
        .forEach(loss -> lines.accept(line(loss, compareBase)));
    JsonObject summary = new JsonObject();
    summary.addProperty("status", "finished");
    summary.addProperty("rows", losses.size());
    summary.addProperty("tokens", losses.stream().mapToLong(SampleLoss::labelledTokens).sum());
    summary.addProperty("loss", mean(losses, SampleLoss::loss));
    if (compareBase) {
      summary.addProperty("base_loss", mean(losses, SampleLoss::baseLoss));
    }
    return summary;
  }

  private double mean(List<SampleLoss> losses, ToDoubleFunction<SampleLoss> of) {
    if (config.training().lossAverage() == LossAverage.TOKEN) {
      return losses.stream().mapToDouble(of).sum()
          / losses.stream().mapToLong(SampleLoss::labelledTokens).sum();
    }
    return losses.stream().mapToDouble(loss -> of.applyAsDouble(loss) / loss.labelledTokens()).sum()
        / losses.size();
  }

  private static String line(SampleLoss loss, boolean compareBase) {
    JsonObject line = new JsonObject();
    line.addProperty("id", loss.id());
    line.addProperty("loss", loss.loss() / loss.labelledTokens());
    if (compareBase) {
      line.addProperty("base_loss", loss.baseLoss() / loss.labelledTokens());
    }
    line.addProperty("tokens", loss.labelledTokens());
    return line.toString();
  }
}
