package org.glmtuner.driver;

import com.google.gson.Gson;
import java.io.IOException;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.data.RowParser;
import org.glmtuner.data.TrainingRow;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.HadoopSettings;
import org.glmtuner.tokenizer.ChatGlmTokenizer;

/** {@code tokenize}: rows as the tokenizer or the trainer sees them. */
public final class TokenizeJob {
  private static final Gson GSON = new Gson();

  private final JavaSparkContext context;
  private final TunerConfig config;
  private final HadoopSettings settings;

  public TokenizeJob(SparkSession spark, TunerConfig config) {
    this.context = new JavaSparkContext(spark.sparkContext());
    this.config = config;
    this.settings = HadoopSettings.of(context.hadoopConfiguration());
  }

  /**
   * Writes a line of JSON for each row of {@code data.train}, in their order.
   *
   * @param trainingRows {@code input_ids} and {@code labels}, padded, instead of the prompt's
   *     {@code ids}
   * @return the number of rows
   * @throws TunerException (exit code 6) at the first malformed row
   */
  public long run(boolean trainingRows, Consumer<String> lines) throws IOException {
    BaseFiles base = BaseFiles.open(config, settings);
    RowTokenizer tokenizer = RowTokenizer.of(context, base, config.data(), config.cache());
    String prompt = config.data().columns().prompt();
    JavaRDD<String> rows =
        RowFiles.find(context, settings, config.data(), "data.train", config.data().train())
            .rows()
            .mapPartitions(
                part ->
                    trainingRows ? training(part, tokenizer) : prompts(part, tokenizer, prompt));
    long count = 0;
    Iterator<String> results = rows.toLocalIterator();
    try {
      while (results.hasNext()) {
        lines.accept(results.next());
        count++;
      }
    } catch (Exception e) { // Scala does not declare what it throws
      throw SparkFailures.explain("tokenize", e);
    }
    return count;
  }

  private static Iterator<String> prompts(
      Iterator<RowFiles.Row> rows, RowTokenizer source, String column) throws IOException {
    ChatGlmTokenizer tokenizer = source.loadForTask();
    return lines(
        rows,
        RowParser.texts(column),
        text -> Map.of("ids", tokenizer.encodeOfficially(text)),
        Optional.of("{\"ids\":[]}"));
  }

  private static Iterator<String> training(Iterator<RowFiles.Row> rows, RowTokenizer source)
      throws IOException {
    RowParser<TrainingRow> parser = source.trainingRows(source.loadForTask());
    return lines(rows, parser, TokenizeJob::columns, Optional.empty());
  }

  private static Map<String, int[]> columns(TrainingRow row) {
    Map<String, int[]> columns = new LinkedHashMap<>();
    columns.put("input_ids", row.inputIds());
    columns.put("labels", row.labels());
    return columns;
  }

  private interface Shown<T> {
    Map<String, int[]> show(T value);
  }

  /**
   * The lines of {@code rows}.
   *
   * @param empty the line of a row with an empty text; without it, such rows have none, as in
   *     training
   */
  private static <T> Iterator<String> lines(
      Iterator<RowFiles.Row> rows, RowParser<T> parser, Shown<T> shown, Optional<String> empty) {
    return JudgedRow.each(rows, parser)
        .flatMap(
            row -> {
              if (row.isMalformed()) {
                throw TunerException.damaged("Cannot tokenize " + row.unused());
              }
              return row.isEmpty()
                  ? empty.stream()
                  : Stream.of(GSON.toJson(shown.show(row.value())));
            })
        .iterator();
  }
}
