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

  /** Per partition, the samples of those before it. */
  private final long[] firstIds;

  private final long samples;
  private final long malformed;
  private final long skipped;

  /**
   * @param counts per partition: samples, malformed rows, empty ones
   */
  private ParsedRows(JavaRDD<Parsed> parsed, List<long[]> counts) {
    this.parsed = parsed;
    this.firstIds = new long[counts.size()];
    for (int i = 1; i < firstIds.length; i++) {
      firstIds[i] = firstIds[i - 1] + counts.get(i - 1)[0];
    }
    this.samples = counts.stream().mapToLong(count -> count[0]).sum();
    this.malformed = counts.stream().mapToLong(count -> count[1]).sum();
    this.skipped = counts.stream().mapToLong(count -> count[2]).sum();
  }

  /** Parses all rows; the outcomes are kept in memory or on disk until this is closed. */
  static ParsedRows of(RowFiles files, RowTokenizer tokenizer, DataConfig data) throws IOException {
    boolean tokens = files.format(data.format()) == DataConfig.Format.TOKENS;
    JavaRDD<Parsed> parsed =
        files
            .rows()
            .mapPartitions(rows -> parse(rows, tokenizer, tokens))
            .persist(StorageLevel.MEMORY_AND_DISK());
    return new ParsedRows(parsed, parsed.mapPartitions(ParsedRows::count).collect());
  }

  private static Iterator<long[]> count(Iterator<Parsed> rows) {
    long[] counts = new long[3];
    rows.forEachRemaining(row -> counts[row.sample() != null ? 0 : row.reason() != null ? 1 : 2]++);
    return List.of(counts).iterator();
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
    if (malformed == 0) {
      return List.of();
    }
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
        malformed().stream()
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
    long[] first = firstIds;
    return parsed.mapPartitionsWithIndex(
        (partition, rows) -> numbered(rows, first[partition]), true);
  }

  private static Iterator<Sample> numbered(Iterator<Parsed> rows, long firstId) {
    List<Sample> samples = new ArrayList<>();
    while (rows.hasNext()) {
      Sample sample = rows.next().sample();
      if (sample != null) {
        samples.add(
            new Sample(
                firstId + samples.size(),
                sample.inputIds(),
                sample.labels(),
                sample.contextLength(),
                sample.maskPosition()));
      }
    }
    return samples.iterator();
  }

  @Override
  public void close() {
    parsed.unpersist();
  }
}
