package org.glmtuner.sample;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.glmtuner.sample.SampleRows.Row;

/**
 * Writes {@code train.jsonl} and {@code held-out.jsonl} of the sample into a directory, and the
 * text that its tokenizer is trained on to a file.
 *
 * <p>Usage: {@code WriteSample DIRECTORY CORPUS}.
 */
final class WriteSample {
  private static final int TRAINING_ROWS = 2400;
  private static final int HELD_OUT_ROWS = 120;
  private static final int CORPUS_ROWS = 20_000;
  private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().create();

  private WriteSample() {}

  public static void main(String[] arguments) throws IOException {
    Path directory = Files.createDirectories(Path.of(arguments[0]));
    SampleRows house = new SampleRows(1);
    Set<String> used = new HashSet<>();
    write(directory.resolve("train.jsonl"), distinct(house::inHouseStyle, used, TRAINING_ROWS));
    write(directory.resolve("held-out.jsonl"), distinct(house::inHouseStyle, used, HELD_OUT_ROWS));
    SampleRows any = new SampleRows(2);
    Files.write(
        Path.of(arguments[1]),
        Stream.generate(any::inAskedVoice)
            .limit(CORPUS_ROWS)
            .flatMap(row -> Stream.of(row.content(), row.summary()))
            .toList());
  }

  /** Rows whose contents are in none of those before. */
  private static List<Row> distinct(Supplier<Row> rows, Set<String> used, int count) {
    return Stream.generate(rows).filter(row -> used.add(row.content())).limit(count).toList();
  }

  private static void write(Path file, List<Row> rows) throws IOException {
    Files.write(file, rows.stream().map(GSON::toJson).toList());
  }
}
