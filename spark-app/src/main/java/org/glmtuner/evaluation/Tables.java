package org.glmtuner.evaluation;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.GZIPInputStream;

/** The resources that {@code src/jieba/make} has made. */
final class Tables {
  private Tables() {}

  /** The text of a table. It is part of the application: without it nothing can go on. */
  static String read(String name) {
    try (InputStream in = Tables.class.getResourceAsStream("jieba/" + name)) {
      if (in == null) {
        throw new IllegalStateException("Cannot find jieba/" + name + " in the application's jar");
      }
      return new String(new GZIPInputStream(in).readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read jieba/" + name + ": " + e.getMessage(), e);
    }
  }
}
