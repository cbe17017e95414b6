package org.glmtuner.data;

import java.util.List;
import java.util.function.Function;
import org.glmtuner.config.DataConfig;
import org.glmtuner.config.DataConfig.EmptyHistory;
import org.glmtuner.config.DataConfig.Truncation;
import org.glmtuner.tokenizer.ChatGlmTokenizer;

/**
 * Makes prompts of queries and the turns before them: {@code [Round i]}, as the official
 * preprocessing and {@code chat} write them, or the query alone.
 */
public final class PromptEncoder {
  private final Function<String, int[]> tokenizer;
  private final String sourcePrefix;
  private final EmptyHistory emptyHistory;
  private final Truncation truncation;

  /**
   * @param tokenizer ids of a text without special tokens
   * @param sourcePrefix text put before every prompt
   * @param emptyHistory of conversations without turns; {@code RAW} in evaluation, whatever
   *     training does
   */
  public PromptEncoder(
      Function<String, int[]> tokenizer,
      String sourcePrefix,
      EmptyHistory emptyHistory,
      Truncation truncation) {
    this.tokenizer = tokenizer;
    this.sourcePrefix = sourcePrefix;
    this.emptyHistory = emptyHistory;
    this.truncation = truncation;
  }

  static PromptEncoder of(ChatGlmTokenizer tokenizer, DataConfig data, EmptyHistory emptyHistory) {
    return new PromptEncoder(
        encoding(tokenizer, data),
        data.columns().sourcePrefix(),
        emptyHistory,
        data.texts().truncation());
  }

  /** What texts become, by {@code data.special-tokens}. */
  static Function<String, int[]> encoding(ChatGlmTokenizer tokenizer, DataConfig data) {
    return switch (data.texts().specialTokens()) {
      case TEXT -> tokenizer::encode;
      case OFFICIAL -> tokenizer::encodeOfficially;
    };
  }

  /** The ids of the prompt, at most {@code limit} of them. */
  EncodedText encode(Question question, int limit) {
    boolean rounds =
        question.conversational()
            && !(question.history().isEmpty() && emptyHistory == EmptyHistory.RAW);
    if (!rounds) {
      return EncodedText.head(tokenizer.apply(sourcePrefix + question.query()), limit);
    }
    int[] whole = encode(question.history(), question.query());
    return whole.length <= limit || truncation == Truncation.OFFICIAL
        ? EncodedText.head(whole, limit)
        : newest(question, limit, whole.length);
  }

  /** What fits of the newest turns, or else of the query. */
  private EncodedText newest(Question question, int limit, int wholeLength) {
    List<Turn> history = question.history();
    for (int first = 1; first <= history.size(); first++) {
      int[] ids = encode(history.subList(first, history.size()), question.query());
      if (ids.length <= limit) {
        return new EncodedText(ids, wholeLength - ids.length);
      }
    }
    String query = question.query();
    int fewest = 1; // characters to leave out
    int most = query.codePointCount(0, query.length());
    while (fewest < most) {
      int middle = (fewest + most) / 2;
      if (encode(List.of(), tail(query, middle)).length <= limit) {
        most = middle;
      } else {
        fewest = middle + 1;
      }
    }
    int[] ids = EncodedText.head(encode(List.of(), tail(query, most)), limit).ids();
    return new EncodedText(ids, wholeLength - ids.length);
  }

  private static String tail(String text, int without) {
    return text.substring(text.offsetByCodePoints(0, without));
  }

  private int[] encode(List<Turn> history, String query) {
    StringBuilder prompt = new StringBuilder(sourcePrefix);
    for (int round = 0; round < history.size(); round++) {
      open(prompt, round, history.get(round).query());
      prompt.append(history.get(round).response()).append('\n');
    }
    open(prompt, history.size(), query);
    return tokenizer.apply(prompt.toString());
  }

  private static void open(StringBuilder prompt, int round, String query) {
    prompt.append("[Round ").append(round).append("]\n问：").append(query).append("\n答：");
  }
}
