package org.glmtuner.data;

import com.google.gson.JsonElement;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Reads rows that are JSON objects. A bad row is an outcome, never an exception. Threads may share
 * a parser as far as they may share its tokenizer.
 *
 * @param <T> what rows are read as
 */
public final class RowParser<T> {
  private static final String BYTE_ORDER_MARK = "\ufeff";

  /** Makes a value of a row. */
  private interface Reader<T> {
    RowOutcome<T> read(long id, JsonRow row) throws RowException;
  }

  /** Makes a value of a prompt and its response. */
  private interface PairReader<T> {
    T read(long id, String prompt, String response) throws RowException;
  }

  private final Reader<T> reader;

  private RowParser(Reader<T> reader) {
    this.reader = reader;
  }

  /** Rows with a prompt and a response, to train on. */
  public static RowParser<Sample> samples(
      String promptColumn, String responseColumn, TrainingRowEncoder encoder, SampleRules rules) {
    return pairs(
        promptColumn,
        responseColumn,
        (id, prompt, response) -> rules.sample(id, encoder.encode(prompt, response)));
  }

  /** The same rows as the official preprocessing shows them, padded and unchecked. */
  public static RowParser<TrainingRow> trainingRows(
      String promptColumn, String responseColumn, TrainingRowEncoder encoder) {
    return pairs(
        promptColumn,
        responseColumn,
        (id, prompt, response) -> encoder.encodePadded(prompt, response));
  }

  private static <T> RowParser<T> pairs(
      String promptColumn, String responseColumn, PairReader<T> reader) {
    return new RowParser<>(
        (id, row) -> {
          String prompt = row.text(promptColumn);
          String response = row.text(responseColumn);
          if (prompt.isEmpty() || response.isEmpty()) {
            return empty(prompt.isEmpty() ? promptColumn : responseColumn);
          }
          return new RowOutcome.Accepted<>(reader.read(id, prompt, response));
        });
  }

  /** Rows that hold tokens already: {@code input_ids} and {@code labels}, padding allowed. */
  public static RowParser<Sample> tokens(SampleRules rules) {
    return new RowParser<>(
        (id, row) ->
            new RowOutcome.Accepted<>(
                rules.sample(
                    id, new TrainingRow(row.integers("input_ids"), row.integers("labels")))));
  }

  /** The texts of one column. */
  public static RowParser<String> texts(String column) {
    return new RowParser<>(
        (id, row) -> {
          String text = row.text(column);
          return text.isEmpty() ? empty(column) : new RowOutcome.Accepted<>(text);
        });
  }

  private static <T> RowOutcome<T> empty(String column) {
    return new RowOutcome.Skipped<>("its column " + column + " is empty");
  }

  /** Reads a line of a file, without its line feed. */
  public RowOutcome<T> parse(long id, byte[] utf8) {
    String text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8)).toString();
    } catch (CharacterCodingException e) {
      return new RowOutcome.Rejected<>("it is not UTF-8");
    }
    return parse(id, text);
  }

  /** As for bytes. */
  public RowOutcome<T> parse(long id, String json) {
    try {
      String text = json.startsWith(BYTE_ORDER_MARK) ? json.substring(1) : json;
      return parse(id, JsonRow.parse(text));
    } catch (RowException e) {
      return new RowOutcome.Rejected<>(e.getMessage());
    }
  }

  /** Reads an element of an array. */
  public RowOutcome<T> parse(long id, JsonElement element) {
    try {
      return reader.read(id, JsonRow.of(element));
    } catch (RowException e) {
      return new RowOutcome.Rejected<>(e.getMessage());
    }
  }
}
