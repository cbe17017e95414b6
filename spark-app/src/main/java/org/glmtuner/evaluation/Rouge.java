package org.glmtuner.evaluation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * ROUGE as {@code rouge_chinese} 1.0.3 computes it, F-measures from 0 to 1: of common words, of
 * common pairs of words (repeats count once), and of the longest common subsequence of words.
 */
record Rouge(double rouge1, double rouge2, double rougeL) {
  private static final double TINY = 1e-8; // instead of a division by 0

  /** Where rouge_chinese ends a sentence, one pattern after the other. */
  private static final List<Pattern> SENTENCE_ENDS =
      List.of(
          Pattern.compile("([。！？?])([^”’])"),
          Pattern.compile("(\\.{6})([^”’])"),
          Pattern.compile("(…{2})([^”’])"),
          Pattern.compile("([。！？?][”’])([^，。！？?])"));

  /** The characters that Python takes for white space. */
  private static final Pattern WHITE_SPACE =
      Pattern.compile(
          "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+");

  /**
   * Compares the words that a {@link Segmenter} gave. All is 0 where either has none but white
   * space, which rouge_chinese refuses with an error.
   */
  static Rouge of(List<String> hypothesis, List<String> reference) {
    List<String> hypothesisWords = words(hypothesis);
    List<String> referenceWords = words(reference);
    return new Rouge(
        ofSequences(hypothesisWords, referenceWords, 1),
        ofSequences(hypothesisWords, referenceWords, 2),
        f(
            longestCommonSubsequence(hypothesisWords, referenceWords),
            hypothesisWords.size(),
            referenceWords.size()));
  }

  /**
   * The words that are compared: white space goes, but a blank sentence between others leaves an
   * empty word; a word that the end of a sentence cuts, as a row of dots may be, becomes two.
   */
  static List<String> words(List<String> segments) {
    String text = String.join(" ", segments);
    for (Pattern end : SENTENCE_ENDS) {
      text = end.matcher(text).replaceAll("$1\n$2");
    }
    List<String> words = new ArrayList<>();
    for (String sentence : withoutTrailingWhiteSpace(text).split("\n", -1)) {
      if (!sentence.isEmpty()) {
        String blanks = WHITE_SPACE.matcher(sentence).replaceAll(" ");
        int from = blanks.startsWith(" ") ? 1 : 0;
        int to = Math.max(from, blanks.length() - (blanks.endsWith(" ") ? 1 : 0));
        words.addAll(Arrays.asList(blanks.substring(from, to).split(" ", -1)));
      }
    }
    return words;
  }

  /** Whether {@code text} has no words to compare. */
  static boolean isBlank(String text) {
    return withoutTrailingWhiteSpace(text).isEmpty();
  }

  private static String withoutTrailingWhiteSpace(String text) {
    int end = text.length();
    while (end > 0 && WHITE_SPACE.matcher(text.substring(end - 1, end)).matches()) {
      end--;
    }
    return text.substring(0, end);
  }

  private static double ofSequences(List<String> hypothesis, List<String> reference, int length) {
    Set<List<String>> candidates = sequences(hypothesis, length);
    Set<List<String>> wanted = sequences(reference, length);
    Set<List<String>> common = new HashSet<>(candidates);
    common.retainAll(wanted);
    return f(common.size(), candidates.size(), wanted.size());
  }

  private static Set<List<String>> sequences(List<String> words, int length) {
    Set<List<String>> sequences = new HashSet<>();
    for (int i = 0; i + length <= words.size(); i++) {
      sequences.add(words.subList(i, i + length));
    }
    return sequences;
  }

  private static double f(int common, int ofHypothesis, int ofReference) {
    double precision = ofHypothesis == 0 ? 0 : (double) common / ofHypothesis;
    double recall = ofReference == 0 ? 0 : (double) common / ofReference;
    return 2 * (precision * recall / (precision + recall + TINY));
  }

  private static int longestCommonSubsequence(List<String> a, List<String> b) {
    int[] above = new int[b.size() + 1];
    for (String word : a) {
      int[] row = new int[above.length];
      for (int j = 1; j < row.length; j++) {
        row[j] = word.equals(b.get(j - 1)) ? above[j - 1] + 1 : Math.max(above[j], row[j - 1]);
      }
      above = row;
    }
    return above[b.size()];
  }
}
