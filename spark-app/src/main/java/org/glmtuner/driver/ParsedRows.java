package org.glmtuner.driver;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.storage.StorageLevel;
import org.glmtuner.data.CutSample;
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

  /** A row that is no sample. */
  record Unused(String file, long row, String reason) implements Serializable {}

  /**
   * What became of a row.
   *
   * @param sample null where it is none
   * @param promptCut tokens of its prompt that did not fit
   * @param responseCut tokens of its response that did not fit
   * @param problem why it is malformed, else null
   * @param emptiness why it is passed over without being malformed, else null
   */
  record Parsed(
      String file,
      long row,
      Sample sample,
      int promptCut,
      int responseCut,
      String problem,
      String emptiness)
      implements Serializable {

    boolean isMalformed() {
      return problem != null;
    }

    boolean isEmpty() {
      return emptiness != null;
    }
  }

  private final JavaRDD<Parsed> parsed;

  /** Per partition, the samples of those before it. */
  private final long[] firstIds;

  private final RowCounts counts;

  /**
   * @param counts per partition
   */
  private ParsedRows(JavaRDD<Parsed> parsed, List<RowCounts> counts) {
    this.parsed = parsed;
    this.firstIds = new long[counts.size()];
    for (int i = 1; i < firstIds.length; i++) {
      firstIds[i] = firstIds[i - 1] + counts.get(i - 1).samples();
    }
    this.counts = counts.stream().reduce(RowCounts.NONE, RowCounts::plus);
  }

  /** Parses all rows; the outcomes are kept in memory or on disk until this is closed. */
  static ParsedRows of(RowFiles files, RowTokenizer tokenizer) throws IOException {
    boolean tokens = files.haveTokens();
    JavaRDD<Parsed> parsed =
        files
            .rows()
            .mapPartitions(rows -> parse(rows, tokenizer, tokens))
            .persist(StorageLevel.MEMORY_AND_DISK());
    return new ParsedRows(parsed, parsed.mapPartitions(ParsedRows::count).collect());
  }

  private static Iterator<RowCounts> count(Iterator<Parsed> rows) {
    RowCounts counts = RowCounts.NONE;
    while (rows.hasNext()) {
      counts = counts.plus(RowCounts.of(rows.next()));
    }
    return List.of(counts).iterator();
  }

  private static Iterator<Parsed> parse(
      Iterator<RowFiles.Row> rows, RowTokenizer tokenizer, boolean tokens) throws IOException {
    List<Parsed> outcomes = new ArrayList<>();
    try (ChatGlmTokenizer loaded = tokens ? null : tokenizer.load()) {
      RowParser<?> parser = tokens ? tokenizer.tokens() : tokenizer.samples(loaded);
      while (rows.hasNext()) {
        RowFiles.Row row = rows.next();
        if (!row.isBlank()) {
          outcomes.add(judged(row, row.parse(parser)));
        }
      }
    }
    return outcomes.iterator();
  }

  private static Parsed judged(RowFiles.Row row, RowOutcome<?> outcome) {
    if (outcome instanceof RowOutcome.Rejected<?> rejected) {
      return new Parsed(row.file(), row.row(), null, 0, 0, rejected.reason(), null);
    } else if (outcome instanceof RowOutcome.Skipped<?> skipped) {
      return new Parsed(row.file(), row.row(), null, 0, 0, null, skipped.reason());
    }
    Object value = ((RowOutcome.Accepted<?>) outcome).value();
    CutSample cut = value instanceof CutSample text ? text : new CutSample((Sample) value, 0, 0);
    return new Parsed(
        row.file(), row.row(), cut.sample(), cut.promptCut(), cut.responseCut(), null, null);
  }

  RowCounts counts() {
    return counts;
  }

  /** The first malformed rows, then the first empty ones. */
  List<Unused> unused() {
    List<Unused> rows = new ArrayList<>(malformed());
    if (counts.empty() > 0) {
      rows.addAll(
          parsed
              .filter(Parsed::isEmpty)
              .map(row -> new Unused(row.file(), row.row(), row.emptiness()))
              .take(MOST_LISTED));
    }
    return rows;
  }

  private List<Unused> malformed() {
    return counts.malformed() == 0
        ? List.of()
        : parsed
            .filter(Parsed::isMalformed)
            .map(row -> new Unused(row.file(), row.row(), row.problem()))
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
    long malformed = counts.malformed();
    long considered = counts.samples() + malformed;
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
    if (counts.samples() == 0) {
      throw TunerException.damaged(
          "Cannot use "
              + paths
              + " ("
              + key
              + "): it has no rows to learn from, "
              + counts.empty()
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
