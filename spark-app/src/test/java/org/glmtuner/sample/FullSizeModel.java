package org.glmtuner.sample;

import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.LongConsumer;
import org.glmtuner.checkpoint.DType;
import org.glmtuner.checkpoint.ShardPlan;
import org.glmtuner.checkpoint.TensorFile;
import org.glmtuner.checkpoint.TensorFormat;
import org.glmtuner.checkpoint.TensorSpec;
import org.glmtuner.checkpoint.TensorWriter;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.ModelShapes;
import org.glmtuner.storage.LocalFolder;

/**
 * A model of ChatGLM-6B's real size with the names, types, shapes and shards of the real one, 13.7
 * GB on disk, and random values: to measure a conversion, and to see that every value survives it.
 *
 * <p>Usage: {@code FullSizeModel write DIRECTORY}, then {@code FullSizeModel check WEIGHT-FILE}.
 */
public final class FullSizeModel {
  private static final String EMBEDDING = "transformer.word_embeddings.weight";
  private static final String HEAD = "lm_head.weight";

  /**
   * The release was cut into shards when its vocabulary was still this large; slimming it left the
   * cuts where they were.
   */
  private static final long ROWS_WHEN_CUT = 150_528;

  private static final long SHARD_BYTES = 2_000_000_000;
  private static final int PIECE_BYTES = 1 << 20;

  static final String CONFIG =
      """
      {
        "model_type": "chatglm",
        "num_layers": 28,
        "hidden_size": 4096,
        "num_attention_heads": 32,
        "inner_hidden_size": 16384,
        "vocab_size": 130528,
        "max_sequence_length": 2048,
        "layernorm_epsilon": 1e-05,
        "position_encoding_2d": true,
        "bos_token_id": 130004,
        "eos_token_id": 130005,
        "mask_token_id": 130000,
        "gmask_token_id": 130001,
        "pad_token_id": 3,
        "torch_dtype": "float16"
      }
      """;

  private final ChatGlmConfig config =
      ChatGlmConfig.parse(CONFIG.getBytes(StandardCharsets.UTF_8), ChatGlmConfig.FILE);

  public static void main(String[] arguments) throws IOException {
    Path path = Path.of(arguments[1]);
    switch (arguments[0]) {
      case "write" -> new FullSizeModel().write(path);
      case "check" -> new FullSizeModel().check(path);
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }

  /** The real shards. */
  public static ShardPlan plan() {
    FullSizeModel model = new FullSizeModel();
    return ShardPlan.of(
        TensorFormat.TORCH,
        model.tensors(),
        SHARD_BYTES,
        tensor ->
            tensor.name().equals(EMBEDDING) || tensor.name().equals(HEAD)
                ? tensor.bytes() / model.config.vocabSize() * ROWS_WHEN_CUT
                : tensor.bytes());
  }

  /** As the official state dict has them: the rotary frequencies are a buffer of each layer. */
  private List<TensorSpec> tensors() {
    List<TensorSpec> tensors = new ArrayList<>();
    for (Map.Entry<String, Shape> tensor : ModelShapes.of(config).entrySet()) {
      String name = tensor.getKey();
      if (name.endsWith(".query_key_value.weight")) {
        String rotary = name.replace("query_key_value.weight", "rotary_emb.inv_freq");
        tensors.add(TensorSpec.of(rotary, DType.F16, config.headSize() / 4));
      }
      DType dtype = name.contains("layernorm") ? DType.F32 : DType.F16;
      tensors.add(TensorSpec.of(name, dtype, tensor.getValue().getShape()));
    }
    tensors.add(TensorSpec.of(HEAD, DType.F16, config.vocabSize(), config.hiddenSize()));
    return tensors;
  }

  private void write(Path directory) throws IOException {
    Files.createDirectories(directory);
    ShardPlan plan = plan();
    for (int shard = 0; shard < plan.shards().size(); shard++) {
      List<TensorSpec> tensors = plan.shards().get(shard);
      String name = plan.fileName(shard);
      FileChannel channel =
          FileChannel.open(
              directory.resolve(name), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
      try (TensorWriter writer = plan.format().writer(channel, name, tensors, Map.of())) {
        for (TensorSpec tensor : tensors) {
          values(tensor, tensor.bytes(), bytes -> writer.append(tensor.name(), bytes));
        }
        writer.finish();
      }
      System.err.println("Wrote " + directory.resolve(name));
    }
    Files.write(directory.resolve(plan.format().indexName()), plan.index(Map.of()));
    Files.writeString(directory.resolve(ChatGlmConfig.FILE), CONFIG);
  }

  /** Takes the next bytes of a tensor. */
  private interface Sink {
    void accept(ByteBuffer bytes) throws IOException;
  }

  /**
   * The tensor's values, which depend on its name alone; the output matrix has the embedding's.
   * Halves and floats below 2, of any sign and any smaller size.
   */
  private static void values(TensorSpec tensor, long count, Sink sink) throws IOException {
    SplittableRandom random =
        new SplittableRandom((tensor.name().equals(HEAD) ? EMBEDDING : tensor.name()).hashCode());
    long finite = tensor.dtype() == DType.F16 ? 0xbfff_bfff_bfff_bfffL : 0xbfff_ffff_bfff_ffffL;
    ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (long done = 0; done < count; done += PIECE_BYTES) {
      piece.clear();
      while (piece.hasRemaining()) {
        piece.putLong(random.nextLong() & finite);
      }
      sink.accept(piece.flip().limit((int) Math.min(PIECE_BYTES, count - done)));
    }
  }

  /** Compares every value of a BF16 weight file with what the shards were written with. */
  private void check(Path weightFile) throws IOException {
    LocalFolder folder = new LocalFolder(weightFile.toAbsolutePath().getParent());
    long[] compared = {0};
    try (TensorFile file = TensorFile.open(folder, weightFile.getFileName().toString())) {
      for (TensorSpec stored : file.tensors()) {
        check(file, stored, count -> compared[0] += count);
      }
      if (compared[0] != config.parameters()) {
        throw new IllegalStateException("It has " + compared[0] + " values");
      }
    }
    System.out.println("All " + compared[0] + " values are right");
  }

  private void check(TensorFile file, TensorSpec stored, LongConsumer compared) throws IOException {
    DType dtype = stored.name().contains("layernorm") ? DType.F32 : DType.F16;
    TensorSpec original = new TensorSpec(stored.name(), dtype, stored.shape());
    int columns = stored.shape().size() == 2 ? stored.shape().get(1).intValue() : 1;
    int step = PIECE_BYTES / dtype.bytes();
    float[] values = new float[step];
    ByteBuffer expected = ByteBuffer.allocate(step * stored.dtype().bytes());
    ByteBuffer found = ByteBuffer.allocate(step * stored.dtype().bytes());
    long[] done = {0};
    values(
        original,
        original.bytes(),
        bytes -> {
          int count = bytes.remaining() / dtype.bytes();
          dtype.decode(bytes, values, 0, count);
          expected.clear();
          stored.dtype().encode(values, 0, count, expected);
          expected.flip();
          found.clear().limit(expected.limit());
          for (int i = 0; i < count; ) { // whole rows, or what is left of one
            long element = done[0] + i;
            long row = row(stored.name(), element / columns);
            int now = (int) Math.min(count - i, columns - element % columns);
            ByteBuffer target =
                found.slice(i * stored.dtype().bytes(), now * stored.dtype().bytes());
            file.readBytes(
                stored.name(),
                (row * columns + element % columns) * stored.dtype().bytes(),
                target);
            i += now;
          }
          found.rewind();
          if (!expected.equals(found)) {
            throw new IllegalStateException(
                "Wrong values in " + stored.name() + " from element " + done[0] + " on");
          }
          done[0] += count;
          compared.accept(count);
        });
  }

  /** Where an official row of query_key_value is in the weight file; see {@code WeightFile}. */
  private long row(String name, long row) {
    if (!name.contains(".query_key_value.")) {
      return row;
    }
    long head = row / (3L * config.headSize());
    long third = row / config.headSize() % 3;
    return third * config.hiddenSize() + head * config.headSize() + row % config.headSize();
  }
}
