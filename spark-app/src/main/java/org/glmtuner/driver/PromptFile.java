package org.glmtuner.driver;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.StreamSupport;
import org.glmtuner.config.DataConfig;
import org.glmtuner.config.DataConfig.Format;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.TextFile;

/** A file of prompts: JSON Lines with texts in data.prompt-column, or with {@code input_ids}. */
public final class PromptFile {
  private static final String IDS = "input_ids";

  private PromptFile() {}

  /**
   * A prompt as its user gives it.
   *
   * @param text null where there are ids
   * @param ids null where there is a text
   */
  public record Row(String text, int[] ids) {
    public static Row of(String text) {
      return new Row(text, null);
    }
  }

  /**
   * Reads the whole file.
   *
   * @param file a local path or a Hadoop URI
   * @throws TunerException naming the row that is none (exit code 6), or that there is no such file
   */
  public static List<Row> read(String file, DataConfig data) throws IOException {
    List<Row> rows = new ArrayList<>();
    int number = 0;
    for (String line : TextFile.read(file).lines().toList()) {
      number++;
      if (!line.isBlank()) {
        rows.add(row(line, data, file + ", row " + number));
      }
    }
    return rows;
  }

  private static Row row(String line, DataConfig data, String place) {
    String column = data.columns().prompt();
    try {
      JsonObject row = JsonParser.parseString(line).getAsJsonObject();
      if (data.format() == Format.TOKENS || (data.format() == Format.AUTO && row.has(IDS))) {
        return new Row(
            null,
            StreamSupport.stream(row.getAsJsonArray(IDS).spliterator(), false)
                .mapToInt(PromptFile::id)
                .toArray());
      }
      if (row.get(column).getAsJsonPrimitive().isString()) {
        return Row.of(row.get(column).getAsString());
      }
    } catch (JsonParseException
        | IllegalStateException
        | NullPointerException
        | ClassCastException
        | NumberFormatException e) {
      // said below
    }
    throw TunerException.damaged(
        "Cannot read "
            + place
            + ": it is no JSON object with "
            + (data.format() == Format.TOKENS
                ? "an array of integers in column " + IDS + " (data.format)"
                : "a text in column " + column + " (data.prompt-column)"));
  }

  private static int id(JsonElement element) {
    return Integer.parseInt(element.getAsJsonPrimitive().getAsString());
  }
}
