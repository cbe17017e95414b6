package org.glmtuner.driver;

import java.io.IOException;
import java.io.Serializable;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.glmtuner.config.CacheConfig;
import org.glmtuner.config.DataConfig;
import org.glmtuner.data.CutSample;
import org.glmtuner.data.EvaluationRow;
import org.glmtuner.data.EvaluationRowEncoder;
import org.glmtuner.data.RowParser;
import org.glmtuner.data.Sample;
import org.glmtuner.data.SampleRules;
import org.glmtuner.data.TrainingRow;
import org.glmtuner.data.TrainingRowEncoder;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.PrivateDirectory;
import org.glmtuner.tokenizer.ChatGlmTokenizer;

/**
 * Makes parsers of rows in any JVM of the job: carries the tokenizer's model, which each of them
 * loads for itself.
 */
final class RowTokenizer implements Serializable {
  private static final long serialVersionUID = 1L;

  private final Broadcast<byte[]> model;
  private final String location;
  private final SampleRules rules;
  private final DataConfig data;
  private final CacheConfig cache;

  private RowTokenizer(
      Broadcast<byte[]> model,
      String location,
      SampleRules rules,
      DataConfig data,
      CacheConfig cache) {
    this.model = model;
    this.location = location;
    this.rules = rules;
    this.data = data;
    this.cache = cache;
  }

  /**
   * Sends the tokenizer of {@code base} out.
   *
   * @throws TunerException (exit code 6) where the tokenizer is of another release than the
   *     configuration
   */
  static RowTokenizer of(
      JavaSparkContext context, BaseFiles base, DataConfig data, CacheConfig cache)
      throws IOException {
    RowTokenizer tokenizer =
        new RowTokenizer(
            context.broadcast(base.tokenizerModel()), base.location(), base.rules(), data, cache);
    if (base.tokenizerModel().length > 0) {
      try (ChatGlmTokenizer loaded = tokenizer.load()) {
        loaded.checkAgainst(base.config());
      }
    }
    return tokenizer;
  }

  /** The tokenizer; the caller closes it. */
  ChatGlmTokenizer load() throws IOException {
    if (model.value().length == 0) {
      throw TunerException.damaged(
          "Cannot read texts: "
              + location
              + " has no "
              + ChatGlmTokenizer.FILE
              + " (rows of tokens need none: data.format=tokens)");
    }
    return ChatGlmTokenizer.load(
        model.value(),
        location + "/" + ChatGlmTokenizer.FILE,
        PrivateDirectory.provide(cache.path()).resolve("djl"));
  }

  /** The tokenizer, open until the task that asks for it ends. */
  ChatGlmTokenizer loadForTask() throws IOException {
    return TaskEnd.close(load());
  }

  /** Rows of texts as samples. */
  RowParser<CutSample> samples(ChatGlmTokenizer tokenizer) {
    return RowParser.samples(data.columns(), encoder(tokenizer), rules);
  }

  /** Rows of texts as the official preprocessing shows them. */
  RowParser<TrainingRow> trainingRows(ChatGlmTokenizer tokenizer) {
    return RowParser.trainingRows(data.columns(), encoder(tokenizer));
  }

  /** Rows of tokens as samples. */
  RowParser<Sample> tokens() {
    return RowParser.tokens(rules);
  }

  /** Rows of texts as the official evaluation makes prompts and references of them. */
  RowParser<EvaluationRow> evaluationRows(ChatGlmTokenizer tokenizer) {
    return RowParser.evaluationRows(data.columns(), evaluationEncoder(tokenizer));
  }

  /** Makes prompts and references of texts as the official evaluation does. */
  EvaluationRowEncoder evaluationEncoder(ChatGlmTokenizer tokenizer) {
    return EvaluationRowEncoder.of(tokenizer, rules.specialIds(), data);
  }

  private TrainingRowEncoder encoder(ChatGlmTokenizer tokenizer) {
    return TrainingRowEncoder.of(tokenizer, rules.specialIds(), data);
  }
}
