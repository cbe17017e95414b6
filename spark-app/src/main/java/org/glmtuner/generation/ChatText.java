package org.glmtuner.generation;

import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** A completion as the official {@code chat()} shows it: its {@code process_response}. */
public final class ChatText {
  private static final String CHINESE = "[\u4e00-\u9fff]";

  /** What Python's strip() removes. */
  private static final String BLANKS = "[\\s\\x1c-\\x1f]+";

  private static final Pattern ENDS =
      Pattern.compile("^" + BLANKS + "|" + BLANKS + "\\z", Pattern.UNICODE_CHARACTER_CLASS);

  private static final Map<String, String> FULL_WIDTH =
      new TreeMap<>(Map.of(",", "，", "!", "！", ":", "：", ";", "；", "?", "？"));

  private ChatText() {}

  /**
   * Blanks at the ends go, the placeholder of the training date becomes a year, and the marks
   * {@code , ! : ; ?} beside a Chinese character become full-width.
   */
  public static String of(String completion) {
    String text = ENDS.matcher(completion).replaceAll("").replace("[[训练时间]]", "2023年");
    for (Map.Entry<String, String> mark : FULL_WIDTH.entrySet()) {
      String narrow = Pattern.quote(mark.getKey());
      text = text.replaceAll("(?<=" + CHINESE + ")" + narrow, mark.getValue());
      text = text.replaceAll(narrow + "(?=" + CHINESE + ")", mark.getValue());
    }
    return text;
  }
}
