package org.glmtuner.driver;

import java.io.IOException;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.storage.StorageLevel;
import org.glmtuner.data.CutSample;
import org.glmtuner.data.Sample;

/**
 * Rows on their way to samples: parsed and tokenised by ordinary tasks, judged by how many are
 * malformed, and numbered.
 */
final class ParsedRows implements AutoCloseable {
  private static final int MOST_LISTED = 1000;

  private final JavaRDD<JudgedRow<CutSample>> parsed;

  /** Per partition, the samples of those before it. */
  private final long[] firstIds;

  private final RowReport report;

  /**
   * @param counts per partition
   */
  private ParsedRows(JavaRDD<JudgedRow<CutSample>> parsed, List<RowCounts> counts) {
    this.parsed = parsed;
    this.firstIds = new long[counts.size()];
    for (int i = 1; i < firstIds.length; i++) {
      firstIds[i] = firstIds[i - 1] + counts.get(i - 1).samples();
    }
    this.report = report(parsed, counts.stream().reduce(RowCounts.NONE, RowCounts::plus));
  }

  private static RowReport report(JavaRDD<JudgedRow<CutSample>> parsed, RowCounts counts) {
    return new RowReport(
        counts,
        counts.malformed() == 0
            ? List.of()
            : parsed.filter(JudgedRow::isMalformed).map(JudgedRow::unused).take(MOST_LISTED),
        counts.empty() == 0
            ? List.of()
            : parsed.filter(JudgedRow::isEmpty).map(JudgedRow::unused).take(MOST_LISTED));
  }

  /** Parses all rows; the outcomes are kept in memory or on disk until this is closed. */
  static ParsedRows of(RowFiles files, RowTokenizer tokenizer) throws IOException {
    boolean tokens = files.haveTokens();
    JavaRDD<JudgedRow<CutSample>> parsed =
        files
            .rows()
            .mapPartitions(rows -> parse(rows, tokenizer, tokens))
            .persist(StorageLevel.MEMORY_AND_DISK());
    return new ParsedRows(parsed, parsed.mapPartitions(ParsedRows::count).collect());
  }

  private static Iterator<RowCounts> count(Iterator<JudgedRow<CutSample>> rows) {
    RowCounts counts = RowCounts.NONE;
    while (rows.hasNext()) {
      counts = counts.plus(RowCounts.of(rows.next()));
    }
    return List.of(counts).iterator();
  }

  private static Iterator<JudgedRow<CutSample>> parse(
      Iterator<RowFiles.Row> rows, RowTokenizer tokenizer, boolean tokens) throws IOException {
    return tokens
        ? JudgedRow.each(rows, tokenizer.tokens())
            .map(row -> row.map(sample -> new CutSample(sample, 0, 0)))
            .iterator()
        : JudgedRow.each(rows, tokenizer.samples(tokenizer.loadForTask())).iterator();
  }

  /** The counts, the first malformed rows and the first empty ones. */
  RowReport report() {
    return report;
  }

  /** The samples, numbered from 0 in the order of the rows. */
  JavaRDD<Sample> samples() {
    long[] first = firstIds;
    return parsed.mapPartitionsWithIndex(
        (partition, rows) -> numbered(rows, first[partition]), true);
  }

  private static Iterator<Sample> numbered(Iterator<JudgedRow<CutSample>> rows, long firstId) {
    return new Iterator<>() {
      private long id = firstId;
      private JudgedRow<CutSample> next;

      @Override
      public boolean hasNext() {
        while ((next == null || next.value() == null) && rows.hasNext()) {
          next = rows.next();
        }
        return next != null && next.value() != null;
      }

      @Override
      public Sample next() {
        if (!hasNext()) {
          throw new NoSuchElementException();
        }
        Sample sample = next.value().sample();
        next = null;
        return new Sample(
            id++,
            sample.inputIds(),
            sample.labels(),
            sample.contextLength(),
            sample.maskPosition());
      }
    };
  }

  @Override
  public void close() {
    parsed.unpersist();
  }
}
