package org.glmtuner.evaluation;

import java.util.Arrays;

/**
 * A dictionary of words with how often each occurs, in the order of their characters: the words
 * that begin in the same way are neighbours, and reading on narrows a range of them. That takes a
 * tenth of the memory of a tree of nodes and needs no time to build. Immutable; threads share it.
 */
final class WordList {
  private final char[] characters; // of all words, one after another
  private final int[] starts; // of each word in there, and the end of the last
  private final double[] logProbabilities;
  private final double logTotal;

  private WordList(char[] characters, int[] starts, double[] logProbabilities, double logTotal) {
    this.characters = characters;
    this.starts = starts;
    this.logProbabilities = logProbabilities;
    this.logTotal = logTotal;
  }

  /** The dictionary of jieba 0.42.1. */
  static WordList load() {
    return parse(Tables.read("words.gz"));
  }

  /** Reads lines: the sum of all counts, then a word, a blank and its count, sorted by words. */
  static WordList parse(String table) {
    int lines = (int) table.chars().filter(c -> c == '\n').count();
    int[] starts = new int[lines]; // one line is no word, one start is the end
    double[] logProbabilities = new double[lines - 1];
    char[] characters = new char[table.length()];
    int next = table.indexOf('\n') + 1;
    // Math.log and not StrictMath: of the counts in the dictionary it gives the C library's value
    // to the last bit, which decides between ways of cutting that are equally likely.
    double logTotal = Math.log(Integer.parseInt(table, 0, next - 1, 10));
    int length = 0;
    for (int word = 0; word < logProbabilities.length; word++) {
      int blank = table.indexOf(' ', next);
      int end = table.indexOf('\n', blank);
      table.getChars(next, blank, characters, length);
      length += blank - next;
      starts[word + 1] = length;
      logProbabilities[word] = Math.log(Integer.parseInt(table, blank + 1, end, 10)) - logTotal;
      next = end + 1;
    }
    return new WordList(Arrays.copyOf(characters, length), starts, logProbabilities, logTotal);
  }

  int size() {
    return logProbabilities.length;
  }

  /** What a character that begins no word counts as: seen once. */
  double logProbabilityOfUnknown() {
    return 0 - logTotal;
  }

  boolean contains(String word) {
    Walk walk = new Walk();
    for (int i = 0; i < word.length(); i++) {
      if (!walk.advance(word.charAt(i))) {
        return false;
      }
    }
    return walk.atWord();
  }

  /** Reads along a text; the range of words that begin with what was read. For one thread. */
  final class Walk {
    private int low;
    private int high;
    private int depth;

    Walk() {
      restart();
    }

    /** Nothing is read yet. */
    void restart() {
      low = 0;
      high = size();
      depth = 0;
    }

    /** Reads {@code next}; whether any word begins with all that was read since the start. */
    boolean advance(char next) {
      int first = firstNotBelow(next, low, high);
      high = firstNotBelow(next + 1, first, high);
      low = first;
      depth++;
      return low < high;
    }

    /** Whether what was read is a word. */
    boolean atWord() {
      return low < high && length(low) == depth; // the shortest of the range comes first
    }

    /** Of the word that was read. */
    double logProbability() {
      return logProbabilities[low];
    }

    private int firstNotBelow(int wanted, int from, int to) {
      int below = from;
      int end = to;
      while (below < end) {
        int middle = (below + end) >>> 1;
        int here = length(middle) > depth ? characters[starts[middle] + depth] : -1;
        if (here < wanted) {
          below = middle + 1;
        } else {
          end = middle;
        }
      }
      return below;
    }

    private int length(int word) {
      return starts[word + 1] - starts[word];
    }
  }
}
