package org.glmtuner.data;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import org.glmtuner.config.DataConfig.Format;
import org.glmtuner.failure.TunerException;

/** How a file of rows is written. */
public enum FileFormat {
  /** One object a line. */
  JSON_LINES,
  /** One array of objects. */
  JSON_ARRAY,
  /** Fields between commas, below a header line. */
  CSV,
  /** Columns, in groups of rows. */
  PARQUET;

  private static final byte[] PARQUET_MAGIC = "PAR1".getBytes(StandardCharsets.US_ASCII);

  /**
   * Tells the format by what the configuration says, by the file's first bytes, and whether its
   * name ends with .csv.
   *
   * @param head the file's first bytes, as many as are at hand
   * @param location the file's path
   * @throws TunerException if it is none of them, or another than the configured one
   */
  public static FileFormat detect(byte[] head, String location, Format configured) {
    if (head.length == 0) {
      throw cannotRead(location, "it is empty");
    }
    boolean parquet =
        Arrays.equals(head, 0, Math.min(4, head.length), PARQUET_MAGIC, 0, PARQUET_MAGIC.length);
    return switch (configured) {
      case PARQUET -> {
        if (!parquet) {
          throw cannotRead(location, "it is not Parquet (data.format=parquet)");
        }
        yield PARQUET;
      }
      case CSV -> {
        if (parquet) {
          throw cannotRead(location, "it is Parquet (data.format=csv)");
        }
        yield text(head, location, true);
      }
      case JSON -> {
        if (parquet) {
          throw cannotRead(location, "it is Parquet (data.format=json)");
        }
        yield text(head, location, false);
      }
      case TOKENS -> parquet ? PARQUET : text(head, location, false);
      case AUTO ->
          parquet
              ? PARQUET
              : text(head, location, location.toLowerCase(Locale.ROOT).endsWith(".csv"));
    };
  }

  private static FileFormat text(byte[] head, String location, boolean csv) {
    if (head.length >= 2 && (startsWith(head, 0xff, 0xfe) || startsWith(head, 0xfe, 0xff))) {
      throw cannotRead(location, "it is UTF-16 (UTF-8 is needed)");
    }
    int start = startsWith(head, 0xef, 0xbb, 0xbf) ? 3 : 0;
    while (start < head.length && " \t\r\n".indexOf(head[start]) >= 0) {
      start++;
    }
    if (start == head.length) {
      throw cannotRead(location, "it is empty");
    }
    if (csv) {
      return CSV;
    }
    return switch (head[start]) {
      case '{' -> JSON_LINES;
      case '[' -> JSON_ARRAY;
      default ->
          throw cannotRead(
              location,
              String.format(
                  "it is neither JSON Lines nor a JSON array: its first byte is 0x%02x"
                      + " ({ or [ is needed; for CSV: data.format=csv)",
                  head[start] & 0xff));
    };
  }

  private static boolean startsWith(byte[] head, int... bytes) {
    if (head.length < bytes.length) {
      return false;
    }
    for (int i = 0; i < bytes.length; i++) {
      if ((head[i] & 0xff) != bytes[i]) {
        return false;
      }
    }
    return true;
  }

  private static TunerException cannotRead(String location, String reason) {
    return TunerException.damaged("Cannot read " + location + ": " + reason);
  }
}
