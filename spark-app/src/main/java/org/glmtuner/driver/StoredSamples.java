package org.glmtuner.driver;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import java.io.IOException;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.data.ParquetFile;
import org.glmtuner.data.ParquetRows;
import org.glmtuner.data.Sample;
import org.glmtuner.data.TableRow;
import org.glmtuner.failure.TunerException;
import org.glmtuner.planning.SampleSizes;
import org.glmtuner.storage.Directory;

/** Lengths of the samples that a run has, without Spark. */
public final class StoredSamples {
  /** Enough for a mean. */
  private static final int MOST = 10_000;

  private static final String INPUT_IDS = "input_ids";
  private static final String LABELS = "labels";

  private long rows;
  private long tokens;
  private long labelled;
  private int longest;

  private StoredSamples() {}

  /**
   * The sizes of the samples in {@code run.directory}, by the first of them; nothing where it has
   * none yet.
   */
  public static Optional<SampleSizes> sizes(TunerConfig config) throws IOException {
    if (config.run().directory().isEmpty()) {
      return Optional.empty();
    }
    Directory store = Directory.ofConfigured(config.run().directory()).child(SampleStore.DIRECTORY);
    Optional<SampleStore.Counts> counts = SampleStore.counts(store);
    if (counts.isEmpty()) {
      return Optional.empty();
    }
    StoredSamples read = new StoredSamples();
    Directory training = store.child(SampleStore.TRAINING);
    for (String name : training.names()) {
      if (name.endsWith(".parquet") && read.rows < MOST) {
        read.add(training, name);
      }
    }
    if (read.rows == 0) {
      throw TunerException.damaged("Cannot use " + training.location() + ": it has no samples");
    }
    return Optional.of(
        new SampleSizes(
                (double) read.tokens / read.rows,
                (double) read.labelled / read.rows,
                Math.max(read.longest, SampleSizes.longest(config.data()).longest()),
                OptionalLong.empty(),
                String.format(
                    Locale.ROOT, "on average of %,d samples in %s", read.rows, store.location()))
            .counted(counts.get().training()));
  }

  private void add(Directory training, String name) throws IOException {
    ParquetFile file = new ParquetFile(() -> training.open(name), training.locate(name));
    for (ParquetFile.RowGroup group : file.rowGroups()) {
      try (ParquetRows found =
          file.rows(group.start(), group.end(), group.firstRow(), Set.of(INPUT_IDS, LABELS))) {
        while (found.hasNext() && rows < MOST) {
          add(found.next(), training.locate(name));
        }
      }
    }
  }

  private void add(TableRow row, String location) {
    if (row.fields() == null
        || !(row.fields().get(INPUT_IDS) instanceof JsonArray ids)
        || !(row.fields().get(LABELS) instanceof JsonArray labels)) {
      throw TunerException.damaged("Cannot use " + location + ": it does not hold samples");
    }
    rows++;
    tokens += ids.size();
    longest = Math.max(longest, ids.size());
    labelled +=
        StreamSupport.stream(labels.spliterator(), false)
            .skip(1) // the first position's label counts for nothing
            .map(JsonElement::getAsInt)
            .filter(label -> label != Sample.IGNORED)
            .count();
  }
}
