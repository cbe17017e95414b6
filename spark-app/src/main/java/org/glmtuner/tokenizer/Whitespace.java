package org.glmtuner.tokenizer;

/**
 * Line breaks, tabs and runs of blanks as pieces of their own, since SentencePiece would fold them
 * into single blanks.
 */
final class Whitespace {
  private static final int LONGEST_RUN = 80;
  private static final String LINE_BREAK = "<n>";
  private static final String TAB = "<|tab|>";

  private Whitespace() {}

  /** The piece for a run of at least two blanks. */
  private static String blanks(int count) {
    return "<|blank_" + count + "|>";
  }

  /** Replaces them by the names of their pieces; of a run of blanks, the longest part first. */
  static String toPieces(String text) {
    StringBuilder result = new StringBuilder(text.length() + 16);
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\n') {
        result.append(LINE_BREAK);
      } else if (c == '\t') {
        result.append(TAB);
      } else if (c == ' ') {
        int run = 1;
        while (run < LONGEST_RUN && i + run < text.length() && text.charAt(i + run) == ' ') {
          run++;
        }
        result.append(run == 1 ? " " : blanks(run));
        i += run - 1;
      } else {
        result.append(c);
      }
    }
    return result.toString();
  }

  /** The reverse. */
  static String fromPieces(String text) {
    String result = text.replace(LINE_BREAK, "\n").replace(TAB, "\t");
    if (result.contains("<|blank_")) {
      for (int run = 2; run <= LONGEST_RUN; run++) {
        result = result.replace(blanks(run), " ".repeat(run));
      }
    }
    return result;
  }
}
