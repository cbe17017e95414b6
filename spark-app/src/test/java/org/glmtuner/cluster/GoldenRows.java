package org.glmtuner.cluster;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.glmtuner.checkpoint.TensorFile;
import org.glmtuner.data.RowOutcome;
import org.glmtuner.data.RowParser;
import org.glmtuner.data.Sample;
import org.glmtuner.data.SampleRules;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.storage.LocalFolder;

/** The rows of a golden model as a file of rows of tokens. */
public final class GoldenRows {
  /** Of both golden models. */
  public static final int ROWS = 24;

  private static final Gson GSON = new Gson();

  private GoldenRows() {}

  /** Writes the rows with these numbers, in this order. */
  public static Path write(Path golden, List<Integer> order, Path target) throws IOException {
    try (TensorFile file = TensorFile.open(new LocalFolder(golden), "rows.safetensors")) {
      int[][] ids = rows(file, "input_ids");
      int[][] labels = rows(file, "labels");
      List<String> lines = new ArrayList<>();
      for (int row : order) {
        lines.add(GSON.toJson(Map.of("input_ids", ids[row], "labels", labels[row])));
      }
      return Files.write(target, lines);
    }
  }

  /** The rows as samples, in the order of the file. */
  public static List<Sample> samples(Path golden, ChatGlmConfig config) throws IOException {
    RowParser<Sample> parser = RowParser.tokens(SampleRules.of(config));
    Path file = Files.createTempFile("rows", ".jsonl");
    write(golden, IntStream.range(0, ROWS).boxed().toList(), file);
    List<Sample> samples = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      RowOutcome<Sample> outcome = parser.parse(samples.size(), line);
      samples.add(((RowOutcome.Accepted<Sample>) outcome).value());
    }
    Files.delete(file);
    return samples;
  }

  /** The order of a golden training run. */
  public static List<Integer> order(Path golden, String run) throws IOException {
    return trajectory(golden, run).getAsJsonArray("sample_order").asList().stream()
        .map(e -> e.getAsInt())
        .toList();
  }

  /** A golden training run. */
  public static JsonObject trajectory(Path golden, String run) throws IOException {
    return JsonParser.parseString(Files.readString(golden.resolve(run).resolve("trajectory.json")))
        .getAsJsonObject();
  }

  private static int[][] rows(TensorFile file, String name) throws IOException {
    List<Long> shape = file.get(name).shape();
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.toIntExact(file.get(name).bytes())).order(ByteOrder.LITTLE_ENDIAN);
    file.readBytes(name, 0, bytes);
    bytes.flip();
    int[][] rows = new int[Math.toIntExact(shape.get(0))][Math.toIntExact(shape.get(1))];
    for (int[] row : rows) {
      bytes.asIntBuffer().get(row);
      bytes.position(bytes.position() + row.length * Integer.BYTES);
    }
    return rows;
  }
}
