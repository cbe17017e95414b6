package org.glmtuner.driver;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.spark.sql.SparkSession;
import org.glmtuner.config.GenerationConfig.Text;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.data.EncodedText;
import org.glmtuner.data.EvaluationRowEncoder;
import org.glmtuner.executor.Completion;
import org.glmtuner.failure.TunerException;
import org.glmtuner.generation.ChatText;
import org.glmtuner.generation.Prompt;
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
    RowTokenizer source = RowTokenizer.of(job.context(), base, config.data(), config.cache());
    boolean texts = prompts.stream().anyMatch(prompt -> prompt.text() != null);
    try (ChatGlmTokenizer tokenizer = texts ? source.load() : null) {
      TokenPrompts tokens = new TokenPrompts(base.config());
      EvaluationRowEncoder encoder = texts ? source.evaluationEncoder(tokenizer) : null;
      List<Prompt> encoded = new ArrayList<>();
      long cutPrompts = 0;
      long cutTokens = 0;
      for (PromptFile.Row prompt : prompts) {
        long id = encoded.size();
        if (prompt.text() == null) {
          encoded.add(tokens.prompt(id, prompt.ids()));
        } else {
          EncodedText text = encoder.encodePrompt(prompt.text());
          encoded.add(new Prompt(id, text.ids()));
          cutPrompts += text.cut() > 0 ? 1 : 0;
          cutTokens += text.cut();
        }
      }
      if (cutPrompts > 0) {
        progress.say(
            cutPrompts
                + " prompts are too long and lose "
                + cutTokens
                + " tokens at their ends (data.max-source-length)");
      }
      job.complete(base, encoded, "prompts", checkpoint, compareBase)
          .forEach(
              completion ->
                  lines.accept(line(prompts.get((int) completion.id()), completion, tokenizer)));
    }
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
