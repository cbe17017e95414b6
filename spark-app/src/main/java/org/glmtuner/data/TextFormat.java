package org.glmtuner.data;

import org.glmtuner.failure.TunerException;

/** How a file of rows is written. */
public enum TextFormat {
  /** One object a line. */
  JSON_LINES,
  /** One array of objects. */
  JSON_ARRAY;

  /**
   * Tells the format by the first byte that is neither blank nor part of a byte order mark.
   *
   * @param head the file's first bytes, as many as are at hand
   * @param location the file's path, for messages
   * @throws TunerException if it is none of them
   */
  public static TextFormat detect(byte[] head, String location) {
    int start = startsWithByteOrderMark(head) ? 3 : 0;
    while (start < head.length && " \t\r\n".indexOf(head[start]) >= 0) {
      start++;
    }
    if (start == head.length) {
      throw TunerException.damaged("Cannot read " + location + ": it is empty");
    }
    return switch (head[start]) {
      case '{' -> JSON_LINES;
      case '[' -> JSON_ARRAY;
      default ->
          throw TunerException.damaged(
              String.format(
                  "Cannot read %s: it is neither JSON Lines nor a JSON array: its first byte is"
                      + " 0x%02x ({ or [ is needed)",
                  location, head[start] & 0xff));
    };
  }

  private static boolean startsWithByteOrderMark(byte[] head) {
    return head.length >= 3
        && head[0] == (byte) 0xef
        && head[1] == (byte) 0xbb
        && head[2] == (byte) 0xbf;
  }
}
