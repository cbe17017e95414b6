package org.glmtuner.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The texts that Hugging Face's slow tokenizer takes for special tokens before SentencePiece sees
 * them: those that the official tokenizer registers. Blanks beside them go. {@code [gMASK]}, {@code
 * [sMASK]} and {@code </s>} are not registered, and so are text.
 */
final class SpecialTexts {
  /** The official mask, bos, eos, unk and pad tokens. */
  static final List<String> REGISTERED = List.of("[MASK]", "<sop>", "<eop>", "<unk>", "<pad>");

  private static final Pattern ANY =
      Pattern.compile(
          String.join("|", REGISTERED.stream().map(Pattern::quote).toArray(String[]::new)));

  /**
   * A piece of a text.
   *
   * @param special whether it is the name of a special token
   */
  record Part(String text, boolean special) {}

  private SpecialTexts() {}

  /** The parts of {@code text} in their order, without empty ones. */
  static List<Part> split(String text) {
    List<Part> parts = new ArrayList<>();
    Matcher matcher = ANY.matcher(text);
    int from = 0;
    while (matcher.find()) {
      add(parts, text, from, matcher.start(), true);
      parts.add(new Part(matcher.group(), true));
      from = matcher.end();
    }
    add(parts, text, from, text.length(), false);
    return parts;
  }

  private static void add(
      List<Part> parts, String text, int from, int to, boolean beforeSpecialToken) {
    int start = from;
    int end = to;
    while (!parts.isEmpty() && start < end && isBlank(text.charAt(start))) {
      start++;
    }
    while (beforeSpecialToken && end > start && isBlank(text.charAt(end - 1))) {
      end--;
    }
    if (start < end) {
      parts.add(new Part(text.substring(start, end), false));
    }
  }

  /** Python's {@code str.isspace}. */
  private static boolean isBlank(char c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == '\u0085';
  }
}
