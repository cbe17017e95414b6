package org.glmtuner.evaluation;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * A hidden Markov model over the places that characters have in words, for runs of Chinese
 * characters that the dictionary does not join: a character begins a word, is in its middle, ends
 * it, or is one by itself. Immutable; threads share it.
 */
final class PositionModel {
  // In the alphabet's order of jieba's letters: of equally likely places it takes the last.
  private static final int BEGIN = 0;
  private static final int END = 1;
  private static final int MIDDLE = 2;
  private static final int SINGLE = 3;
  private static final String LETTERS = "BEMS";

  /** The two places that a character's predecessor may have, in ascending order. */
  private static final int[][] BEFORE = {
    {END, SINGLE}, {BEGIN, MIDDLE}, {BEGIN, MIDDLE}, {END, SINGLE}
  };

  private static final double NEVER = -3.14e100; // jieba's logarithm of 0
  private static final char FIRST_HAN = '\u4e00';
  private static final char LAST_HAN = '\u9fd5';

  private final double[] start = new double[LETTERS.length()];
  private final double[][] transition = new double[LETTERS.length()][LETTERS.length()];
  private final double[][] emission =
      new double[LETTERS.length()][LAST_HAN - FIRST_HAN + 1]; // by place and character

  /**
   * Reads lines: {@code start PLACE p}, {@code trans PLACE PLACE p}, {@code emit PLACE CHARACTER
   * p}, with p a natural logarithm. What is not there is never.
   */
  PositionModel(Stream<String> lines) {
    Arrays.fill(start, NEVER);
    for (double[] row : transition) {
      Arrays.fill(row, NEVER);
    }
    for (double[] row : emission) {
      Arrays.fill(row, NEVER);
    }
    lines.forEach(this::add);
  }

  /** The model of jieba 0.42.1. */
  static PositionModel load() {
    return new PositionModel(Tables.read("characters.gz").lines());
  }

  private void add(String line) {
    String[] fields = line.split(" ", -1);
    double logProbability = Double.parseDouble(fields[fields.length - 1]);
    int place = LETTERS.indexOf(fields[1]);
    switch (fields[0]) {
      case "start" -> start[place] = logProbability;
      case "trans" -> transition[place][LETTERS.indexOf(fields[2])] = logProbability;
      case "emit" -> emission[place][fields[2].charAt(0) - FIRST_HAN] = logProbability;
      default -> throw new IllegalStateException("Invalid line of characters.gz: " + line);
    }
  }

  /** Whether the model speaks of the character: U+4E00 to U+9FD5. */
  static boolean isHan(int character) {
    return character >= FIRST_HAN && character <= LAST_HAN;
  }

  /**
   * Cuts {@code run}, which is not empty and of Han characters only, as its likeliest path says.
   */
  void cut(String run, List<String> words) {
    int[] path = likeliestPath(run);
    int begin = 0;
    for (int i = 0; i < path.length; i++) {
      if (path[i] == END || path[i] == SINGLE) {
        words.add(run.substring(begin, i + 1));
        begin = i + 1;
      }
    }
  }

  /** Viterbi's algorithm. The last character of a path ends a word. */
  private int[] likeliestPath(String run) {
    int length = run.length();
    int[][] before = new int[length][LETTERS.length()];
    double[] best = new double[LETTERS.length()];
    for (int place = 0; place < best.length; place++) {
      best[place] = start[place] + emission[place][run.charAt(0) - FIRST_HAN];
    }
    for (int i = 1; i < length; i++) {
      double[] next = new double[best.length];
      for (int place = 0; place < next.length; place++) {
        double emitted = emission[place][run.charAt(i) - FIRST_HAN];
        double first = best[BEFORE[place][0]] + transition[BEFORE[place][0]][place] + emitted;
        double second = best[BEFORE[place][1]] + transition[BEFORE[place][1]][place] + emitted;
        before[i][place] = BEFORE[place][second >= first ? 1 : 0];
        next[place] = Math.max(first, second);
      }
      best = next;
    }
    int[] path = new int[length];
    path[length - 1] = best[SINGLE] >= best[END] ? SINGLE : END;
    for (int i = length - 1; i > 0; i--) {
      path[i - 1] = before[i][path[i]];
    }
    return path;
  }
}
