package org.glmtuner.driver;

import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.data.DataFingerprint;
import org.glmtuner.data.Sample;
import org.glmtuner.executor.MicroBatchMemory;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.Directory;
import org.glmtuner.storage.HadoopSettings;

/**
 * {@code samples/} of a run: the rows, tokenised once, so that resuming never does it again and the
 * data cannot change under a run. Parquet, and a file with the counts that is written last.
 */
final class SampleStore {
  static final String DIRECTORY = "samples";
  static final String TRAINING = "training";
  private static final String VALIDATION = "validation";
  private static final String COUNTS = "counts.json";
  private static final String REJECTED = "rejected";
  private static final Gson GSON = new Gson();

  private static final StructType SCHEMA =
      new StructType()
          .add("id", DataTypes.LongType, false)
          .add("input_ids", DataTypes.createArrayType(DataTypes.IntegerType, false), false)
          .add("labels", DataTypes.createArrayType(DataTypes.IntegerType, false), false)
          .add("context_length", DataTypes.IntegerType, false)
          .add("mask_position", DataTypes.IntegerType, false);

  /** What makes the directory complete. */
  record Counts(long training, long validation, String fingerprint) {}

  /**
   * The samples of a run.
   *
   * @param tokens of each training sample, by its number
   */
  record Samples(
      JavaRDD<Sample> training, JavaRDD<Sample> validation, int[] tokens, String fingerprint) {
    long count() {
      return tokens.length;
    }

    double meanTokens() {
      return IntStream.of(tokens).average().orElseThrow();
    }

    /** What micro-batches of steps of {@code globalBatch} samples can hold. */
    MicroBatchMemory.Samples statistics(int globalBatch) {
      return new MicroBatchMemory.Samples(
          IntStream.of(tokens).max().orElseThrow(), meanTokens(), globalBatch);
    }
  }

  private final SparkSession spark;
  private final JavaSparkContext context;
  private final TunerConfig config;
  private final HadoopSettings settings;
  private final BaseFiles base;
  private final Progress progress;

  SampleStore(
      SparkSession spark,
      TunerConfig config,
      HadoopSettings settings,
      BaseFiles base,
      Progress progress) {
    this.spark = spark;
    this.context = new JavaSparkContext(spark.sparkContext());
    this.config = config;
    this.settings = settings;
    this.base = base;
    this.progress = progress;
  }

  /**
   * The samples that {@code run} has, or those of the configured rows, which it has from then on.
   */
  Samples provide(Directory run) throws IOException {
    Directory store = run.child(DIRECTORY);
    Optional<Counts> stored = counts(store);
    Counts counts = stored.isPresent() ? stored.get() : tokenize(run, store);
    JavaRDD<Sample> training = read(store.child(TRAINING));
    JavaRDD<Sample> validation =
        counts.validation() == 0 ? context.emptyRDD() : read(store.child(VALIDATION));
    int[] tokens = new int[Math.toIntExact(counts.training())];
    training
        .mapToPair(sample -> new scala.Tuple2<>(sample.id(), sample.length()))
        .collect()
        .forEach(pair -> tokens[Math.toIntExact(pair._1())] = pair._2());
    return new Samples(training, validation, tokens, counts.fingerprint());
  }

  /** Whether {@code run} has samples, all of them: the counts are written last. */
  static boolean isComplete(Directory run) throws IOException {
    return run.child(DIRECTORY).contains(COUNTS);
  }

  static Optional<Counts> counts(Directory store) throws IOException {
    try {
      return store.readText(COUNTS).map(json -> GSON.fromJson(json, Counts.class));
    } catch (JsonParseException e) {
      throw TunerException.damaged(
          "Cannot read " + store.locate(COUNTS) + ": " + e.getMessage(), e);
    }
  }

  private Counts tokenize(Directory run, Directory store) throws IOException {
    run.delete(DIRECTORY);
    RowTokenizer tokenizer = RowTokenizer.of(context, base, config.data(), config.cache());
    DataFingerprint training =
        write(run, store, "data.train", config.data().train(), TRAINING, tokenizer);
    DataFingerprint validation =
        config.data().validation().isEmpty()
            ? DataFingerprint.EMPTY
            : write(
                run, store, "data.validation", config.data().validation(), VALIDATION, tokenizer);
    Counts counts =
        new Counts(training.samples(), validation.samples(), training + "/" + validation);
    store.writeText(COUNTS, GSON.toJson(counts) + "\n");
    return counts;
  }

  private DataFingerprint write(
      Directory run, Directory store, String key, String paths, String part, RowTokenizer tokenizer)
      throws IOException {
    RowFiles files = RowFiles.find(context, settings, config.data(), key, paths);
    try (ParsedRows rows = ParsedRows.of(files, tokenizer)) {
      list(rows.report().unused(), run, part);
      progress.say(key + ": " + rows.report());
      rows.report().check(key, paths, config.data().maxRejectedShare());
      JavaRDD<Sample> samples = rows.samples();
      spark
          .createDataFrame(samples.map(SampleStore::toRow), SCHEMA)
          .write()
          .parquet(store.child(part).location());
      return samples.map(DataFingerprint::of).reduce(DataFingerprint::plus);
    }
  }

  /**
   * {@code rejected/<part>.jsonl}: file, row and reason of rows that are no samples; no such file
   * where there are none, whatever an earlier attempt has found.
   */
  static void list(List<UnusedRow> unused, Directory run, String part) throws IOException {
    Directory rejected = run.child(REJECTED);
    rejected.delete(part + ".jsonl");
    if (unused.isEmpty()) {
      return;
    }
    rejected.create();
    StringBuilder lines = new StringBuilder();
    unused.forEach(row -> lines.append(GSON.toJson(row)).append('\n'));
    rejected.writeText(part + ".jsonl", lines.toString());
  }

  private JavaRDD<Sample> read(Directory part) {
    return spark
        .read()
        .schema(SCHEMA)
        .parquet(part.location())
        .javaRDD()
        .map(SampleStore::toSample);
  }

  private static Row toRow(Sample sample) {
    return RowFactory.create(
        sample.id(),
        sample.inputIds(),
        sample.labels(),
        sample.contextLength(),
        sample.maskPosition());
  }

  private static Sample toSample(Row row) {
    return new Sample(row.getLong(0), ints(row, 1), ints(row, 2), row.getInt(3), row.getInt(4));
  }

  private static int[] ints(Row row, int column) {
    return row.<Integer>getList(column).stream().mapToInt(Integer::intValue).toArray();
  }
}
