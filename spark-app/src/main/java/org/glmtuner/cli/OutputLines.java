package org.glmtuner.cli;

import com.google.gson.JsonObject;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.NewFile;

/**
 * The rows that a command produces, to its {@code --output} or to standard output, and its closing
 * line, always to standard output.
 */
final class OutputLines implements AutoCloseable {
  private final String file;
  private final Optional<NewFile> target;
  private final Writer writer;

  /**
   * Begins {@code file}, which appears under its name with {@link #finish}; empty for standard
   * output.
   *
   * @throws TunerException where it cannot be written
   */
  OutputLines(String file) {
    this.file = file;
    this.target = file.isEmpty() ? Optional.empty() : Optional.of(NewFile.begin(file));
    this.writer =
        new BufferedWriter(
            new OutputStreamWriter(
                target.map(NewFile::stream).orElse(System.out), StandardCharsets.UTF_8));
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
    target.ifPresent(NewFile::commit);
    System.out.println(line);
  }

  @Override
  public void close() throws IOException {
    if (target.isPresent()) {
      target.get().close();
    } else {
      writer.flush();
    }
  }
}
