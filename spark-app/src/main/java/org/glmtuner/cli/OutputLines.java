package org.glmtuner.cli;

import com.google.gson.JsonObject;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.TextFile;

/**
 * The rows that a command produces, to its {@code --output} or to standard output, and its closing
 * line, always to standard output.
 */
final class OutputLines implements AutoCloseable {
  private final String file;
  private final Writer writer;

  /**
   * Opens {@code file}; empty for standard output.
   *
   * @throws TunerException where it cannot be written
   */
  OutputLines(String file) {
    this.file = file;
    this.writer =
        new BufferedWriter(
            new OutputStreamWriter(
                file.isEmpty() ? System.out : TextFile.write(file), StandardCharsets.UTF_8));
  }

  void write(String line) {
    try {
      writer.write(line + "\n");
    } catch (IOException e) {
      throw new UncheckedIOException(
          "Cannot write " + (file.isEmpty() ? "to standard output" : file) + ": " + e.getMessage(),
          e);
    }
  }

  /** Ends with {@code {"status":"finished", name: number}}. */
  void finish(String name, Number number) throws IOException {
    JsonObject line = new JsonObject();
    line.addProperty("status", "finished");
    line.addProperty(name, number);
    if (!file.isEmpty()) {
      line.addProperty("output", file);
    }
    finish(line);
  }

  /** Ends with {@code line}. */
  void finish(JsonObject line) throws IOException {
    writer.flush();
    System.out.println(line);
  }

  @Override
  public void close() throws IOException {
    if (file.isEmpty()) {
      writer.flush();
    } else {
      writer.close();
    }
  }
}
