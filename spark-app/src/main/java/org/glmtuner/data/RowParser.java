package org.glmtuner.data;

import com.google.gson.JsonElement;
import java.nio.charset.CharacterCodingException;
import java.util.function.UnaryOperator;
import org.glmtuner.config.DataConfig.Columns;

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

  /** Makes a value of a question and its answer, neither of them empty. */
  private interface PairReader<T> {
    T read(long id, Question question, String response) throws RowException;
  }

  private final Reader<T> reader;

  private RowParser(Reader<T> reader) {
    this.reader = reader;
  }

  /** Rows with a prompt and a response, to train on. */
  public static RowParser<CutSample> samples(
      Columns columns, TrainingRowEncoder encoder, SampleRules rules) {
    return pairs(
        columns,
        (id, question, response) -> {
          TrainingRowEncoder.Encoded encoded = encoder.encode(question, response);
          return new CutSample(
              rules.sample(id, encoded.row()), encoded.promptCut(), encoded.responseCut());
        });
  }

  /** The same rows as the official preprocessing shows them, padded and unchecked. */
  public static RowParser<TrainingRow> trainingRows(Columns columns, TrainingRowEncoder encoder) {
    return pairs(columns, (id, question, response) -> encoder.encodePadded(question, response));
  }

  /** Rows with a prompt and a reference, to generate from. */
  public static RowParser<EvaluationRow> evaluationRows(
      Columns columns, EvaluationRowEncoder encoder) {
    return pairs(columns, (id, question, reference) -> encoder.encode(question, reference));
  }

  private static <T> RowParser<T> pairs(Columns columns, PairReader<T> reader) {
    return new RowParser<>(
        (id, row) -> {
          String prompt = row.text(columns.prompt());
          String response = row.text(columns.response());
          if (prompt.isEmpty() || response.isEmpty()) {
            return empty(prompt.isEmpty() ? columns.prompt() : columns.response());
          }
          Question question =
              columns.history().isEmpty()
                  ? Question.of(prompt)
                  : new Question(prompt, HistoryColumn.read(row, columns), true);
          return new RowOutcome.Accepted<>(reader.read(id, question, response));
        });
  }

  /** Rows that hold tokens already: {@code input_ids} and {@code labels}, padding allowed. */
  public static RowParser<Sample> tokens(SampleRules rules) {
    return tokens(rules, UnaryOperator.identity());
  }

  /** As the other, of rows that {@code change} makes fit the rules. */
  public static RowParser<Sample> tokens(SampleRules rules, UnaryOperator<TrainingRow> change) {
    return new RowParser<>(
        (id, row) ->
            new RowOutcome.Accepted<>(
                rules.sample(
                    id,
                    change.apply(
                        new TrainingRow(row.integers("input_ids"), row.integers("labels"))))));
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
      text = Utf8.decode(utf8);
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
