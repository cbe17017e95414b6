package org.glmtuner.driver;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import org.apache.spark.sql.SparkSession;
import org.glmtuner.config.GenerationConfig.Text;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.executor.Completion;
import org.glmtuner.executor.CompletionTask;
import org.glmtuner.failure.TunerException;
import org.glmtuner.generation.ChatText;
import org.glmtuner.generation.Prompt;
import org.glmtuner.model.SpecialIds;
import org.glmtuner.tokenizer.ChatGlmTokenizer;

/** {@code generate}: completions of prompts, with or without a prefix. */
public final class GenerateJob {
  private static final Gson GSON = new Gson();

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
   * Completes prompts, which are texts, or ids for a model that may have no tokenizer.
   *
   * @param checkpoint directory of a prefix, {@code latest} for the newest of run.directory, or
   *     empty for the base alone
   * @param compareBase also completes with the base alone
   * @param lines receives a line of JSON for each prompt, in their order: prompt and text, or
   *     input_ids and new_ids
   */
  public void run(
      List<PromptFile.Row> prompts, String checkpoint, boolean compareBase, Consumer<String> lines)
      throws IOException, InterruptedException {
    if (prompts.isEmpty()) {
      throw TunerException.invalid(
          "Invalid arguments: there is no prompt to complete (--prompt, --prompts)");
    }
    ServeJob job = new ServeJob(spark, config, progress, cancellation);
    BaseFiles base = BaseFiles.open(config, job.settings());
    try (ChatGlmTokenizer tokenizer = tokenizer(job, base, prompts)) {
      TokenPrompts tokens = new TokenPrompts(base.config());
      SpecialIds special = base.config().specialIds();
      List<Prompt> encoded = new ArrayList<>();
      for (PromptFile.Row prompt : prompts) {
        long id = encoded.size();
        encoded.add(
            prompt.text() == null
                ? tokens.prompt(id, prompt.ids())
                : new Prompt(id, encode(prompt.text(), tokenizer, special)));
      }
      progress.expect("prompts", encoded.size());
      List<Completion> completions =
          job.run(
              base,
              job.context().parallelize(encoded, 1), // dealt out evenly, one by one
              checkpoint,
              compareBase,
              CompletionTask::new);
      completions.stream()
          .sorted(Comparator.comparingLong(Completion::id))
          .forEach(
              completion ->
                  lines.accept(line(prompts.get((int) completion.id()), completion, tokenizer)));
    }
  }

  /** Null where no prompt is a text. */
  private ChatGlmTokenizer tokenizer(ServeJob job, BaseFiles base, List<PromptFile.Row> prompts)
      throws IOException {
    return prompts.stream().allMatch(prompt -> prompt.text() == null)
        ? null
        : RowTokenizer.of(job.context(), base, config.data(), config.cache()).load();
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

  private String line(PromptFile.Row prompt, Completion completion, ChatGlmTokenizer tokenizer) {
    JsonObject line = new JsonObject();
    if (prompt.text() == null) {
      line.add("input_ids", GSON.toJsonTree(prompt.ids()));
      line.add("new_ids", GSON.toJsonTree(completion.newIds()));
      if (completion.baseIds() != null) {
        line.add("base_new_ids", GSON.toJsonTree(completion.baseIds()));
      }
    } else {
      line.addProperty("prompt", prompt.text());
      line.addProperty("text", text(completion.newIds(), tokenizer));
      if (completion.baseIds() != null) {
        line.addProperty("base_text", text(completion.baseIds(), tokenizer));
      }
    }
    return line.toString();
  }

  private String text(int[] ids, ChatGlmTokenizer tokenizer) {
    String plain = tokenizer.decode(ids);
    return config.generation().text() == Text.CHAT ? ChatText.of(plain) : plain;
  }
}
