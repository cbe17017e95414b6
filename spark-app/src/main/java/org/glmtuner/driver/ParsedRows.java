package org.glmtuner.driver;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.storage.StorageLevel;
import org.glmtuner.config.DataConfig;
import org.glmtuner.data.RowOutcome;
import org.glmtuner.data.RowParser;
import org.glmtuner.data.Sample;
import org.glmtuner.failure.TunerException;
import org.glmtuner.tokenizer.ChatGlmTokenizer;

/**
 * Rows on their way to samples: parsed and tokenised by ordinary tasks, judged by how many are
 * malformed, and numbered.
 */
final class ParsedRows implements AutoCloseable {
  private static final int MOST_LISTED = 1000;

  /** A row that cannot be used. */
  record Malformed(String file, long row, String reason) implements Serializable {}

  /** What became of a row: a sample, or else the reason why not; neither where it was empty. */
  record Parsed(String file, long row, Sample sample, String reason) implements Serializable {}

  private final JavaRDD<Parsed> parsed;
  private final long samples;
  private final long malformed;
  private final long skipped;

  private ParsedRows(JavaRDD<Parsed> parsed, long samples, long malformed, long skipped) {
    this.parsed = parsed;
    this.samples = samples;
    this.malformed = malformed;
    this.skipped = skipped;
  }

  /** Parses all rows; the outcomes are kept in memory or on disk until this is closed. */
  static ParsedRows of(RowFiles files, RowTokenizer tokenizer, DataConfig data) throws IOException {
    boolean tokens = files.format(data.format()) == DataConfig.Format.TOKENS;
    JavaRDD<Parsed> parsed =
        files
            .rows()
            .mapPartitions(rows -> parse(rows, tokenizer, tokens))
            .persist(StorageLevel.MEMORY_AND_DISK());
    long samples = parsed.filter(row -> row.sample() != null).count();
    long malformed = parsed.filter(row -> row.reason() != null).count();
    return new ParsedRows(parsed, samples, malformed, parsed.count() - samples - malformed);
  }

  private static Iterator<Parsed> parse(
      Iterator<RowFiles.Row> rows, RowTokenizer tokenizer, boolean tokens) throws IOException {
    List<Parsed> outcomes = new ArrayList<>();
    try (ChatGlmTokenizer loaded = tokens ? null : tokenizer.load()) {
      RowParser<Sample> parser = tokens ? tokenizer.tokens() : tokenizer.samples(loaded);
      while (rows.hasNext()) {
        RowFiles.Row row = rows.next();
        if (!row.isBlank()) {
          outcomes.add(judged(row, parser.parse(row.row(), row.utf8())));
        }
      }
    }
    return outcomes.iterator();
  }

  private static Parsed judged(RowFiles.Row row, RowOutcome<Sample> outcome) {
    if (outcome instanceof RowOutcome.Accepted<Sample> accepted) {
      return new Parsed(row.file(), row.row(), accepted.value(), null);
    }
    String reason =
        outcome instanceof RowOutcome.Rejected<Sample> rejected ? rejected.reason() : null;
    return new Parsed(row.file(), row.row(), null, reason);
  }

  long sampleCount() {
    return samples;
  }

  long malformedCount() {
    return malformed;
  }

  /** Rows with an empty prompt or response, which the official recipe passes over. */
  long skippedCount() {
    return skipped;
  }

  /** The first malformed rows. */
  List<Malformed> malformed() {
    return parsed
        .filter(row -> row.reason() != null)
        .map(row -> new Malformed(row.file(), row.row(), row.reason()))
        .take(MOST_LISTED);
  }

  /**
   * Refuses rows too many of which are malformed, or none of which is a sample.
   *
   * @throws TunerException (exit code 6) with the counts and the first reason
   */
  void check(String key, String paths, double maxRejectedShare) {
    String first =
        malformed == 0
            ? ""
            : malformed().stream()
                .findFirst()
                .map(m -> "; " + m.file() + ", row " + m.row() + ": " + m.reason())
                .orElse("");
    long considered = samples + malformed;
    if (malformed > maxRejectedShare * considered) {
      throw TunerException.damaged(
          "Cannot use "
              + paths
              + " ("
              + key
              + "): "
              + malformed
              + " of "
              + considered
              + " rows are malformed, data.max-rejected-share allows "
              + maxRejectedShare
              + first);
    }
    if (samples == 0) {
      throw TunerException.damaged(
          "Cannot use "
              + paths
              + " ("
              + key
              + "): it has no rows to learn from, "
              + skipped
              + " are empty"
              + first);
    }
  }

  /** The samples, numbered from 0 in the order of the rows. */
  JavaRDD<Sample> samples() {
    return parsed
        .filter(row -> row.sample() != null)
        .zipWithIndex()
        .map(
            numbered -> {
              Sample sample = numbered._1().sample();
              return new Sample(
                  numbered._2(),
                  sample.inputIds(),
                  sample.labels(),
                  sample.contextLength(),
                  sample.maskPosition());
            });
  }

  @Override
  public void close() {
    parsed.unpersist();
  }
}
