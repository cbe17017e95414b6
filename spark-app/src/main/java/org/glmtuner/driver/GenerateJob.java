package org.glmtuner.driver;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import org.apache.spark.sql.SparkSession;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.executor.Completion;
import org.glmtuner.executor.CompletionTask;
import org.glmtuner.executor.Prompt;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.SpecialIds;
import org.glmtuner.tokenizer.ChatGlmTokenizer;

/** {@code generate}: greedy completions of prompts, with or without a prefix. */
public final class GenerateJob {
  private final SparkSession spark;
  private final TunerConfig config;
  private final Progress progress;
  private final Cancellation cancellation;

  public GenerateJob(
      SparkSession spark, TunerConfig config, Progress progress, Cancellation cancellation) {
    this.spark = spark;
    this.config = config;
    this.progress = progress;
    this.cancellation = cancellation;
  }

  /**
   * Completes prompts.
   *
   * @param checkpoint directory of a prefix, {@code latest} for the newest of run.directory, or
   *     empty for the base alone
   * @param compareBase also completes with the base alone
   * @param lines receives a line of JSON for each prompt, in their order: prompt, text
   */
  public void run(
      List<String> prompts, String checkpoint, boolean compareBase, Consumer<String> lines)
      throws IOException, InterruptedException {
    if (prompts.isEmpty()) {
      throw TunerException.invalid(
          "Invalid arguments: there is no prompt to complete (--prompt, --prompts)");
    }
    ServeJob job = new ServeJob(spark, config, progress, cancellation);
    BaseFiles base = BaseFiles.open(config, job.settings());
    RowTokenizer source = RowTokenizer.of(job.context(), base, config.data(), config.cache());
    try (ChatGlmTokenizer tokenizer = source.load()) {
      List<Prompt> encoded = new ArrayList<>();
      for (String prompt : prompts) {
        encoded.add(
            new Prompt(encoded.size(), encode(prompt, tokenizer, base.config().specialIds())));
      }
      int maxNewTokens = config.data().maxTargetLength();
      List<Completion> completions =
          job.run(
              base,
              job.context().parallelize(encoded),
              checkpoint,
              compareBase,
              plan -> new CompletionTask(plan, maxNewTokens));
      completions.stream()
          .sorted(Comparator.comparingLong(Completion::id))
          .forEach(
              completion ->
                  lines.accept(line(prompts.get((int) completion.id()), completion, tokenizer)));
    }
  }

  /** As the official evaluation: the head of the prompt that fits, then gMASK and sop. */
  private int[] encode(String prompt, ChatGlmTokenizer tokenizer, SpecialIds special) {
    int[] text = tokenizer.encode(config.data().columns().sourcePrefix() + prompt);
    int kept = Math.min(text.length, config.data().maxSourceLength() - 2);
    int[] ids = Arrays.copyOf(text, kept + 2);
    ids[kept] = special.gmask();
    ids[kept + 1] = special.sop();
    return ids;
  }

  private static String line(String prompt, Completion completion, ChatGlmTokenizer tokenizer) {
    JsonObject line = new JsonObject();
    line.addProperty("prompt", prompt);
    line.addProperty("text", tokenizer.decode(completion.newIds()));
    if (completion.baseIds() != null) {
      line.addProperty("base_text", tokenizer.decode(completion.baseIds()));
    }
    return line.toString();
  }
}
