package org.glmtuner.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.ChatGlmConfig.Prefix;
import org.glmtuner.model.PrefixTensor;

/** Checkpoints of random values, written as a rank writes them. */
final class PrefixCheckpoints {
  private PrefixCheckpoints() {}

  /** The values by tensor. */
  static Map<String, float[]> write(
      Path directory, ChatGlmConfig base, Prefix prefix, String fingerprint) throws IOException {
    Random random = new Random(3);
    Map<String, float[]> values = new LinkedHashMap<>();
    Map<String, List<ByteBuffer>> parameters = new LinkedHashMap<>();
    Map<String, List<ByteBuffer>> moments = new LinkedHashMap<>();
    for (PrefixTensor tensor : PrefixTensor.of(base, prefix)) {
      values.put(tensor.name(), TensorFiles.random(random, tensor.elements()));
      List<ByteBuffer> pieces = pieces(values.get(tensor.name()));
      parameters.put(tensor.name(), pieces);
      moments.put(tensor.name() + ".exp_avg", pieces);
      moments.put(tensor.name() + ".exp_avg_sq", pieces);
    }
    new PrefixFiles(base, prefix, fingerprint, 40).write(directory, parameters, moments);
    return values;
  }

  static float[] read(Path file, PrefixTensor tensor) throws IOException {
    List<ByteBuffer> pieces = pieces(new float[(int) tensor.elements()]);
    long[] shape = tensor.shape().stream().mapToLong(Long::longValue).toArray();
    PrefixFiles.read(file, tensor.name(), pieces, shape);
    float[] values = new float[(int) tensor.elements()];
    int done = 0;
    for (ByteBuffer piece : pieces) {
      int count = piece.remaining() / Float.BYTES;
      piece.asFloatBuffer().get(values, done, count);
      done += count;
    }
    return values;
  }

  /** Two unequal ones. */
  private static List<ByteBuffer> pieces(float[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    int cut = values.length / 3 * Float.BYTES;
    return List.of(
        bytes.slice(0, cut).order(ByteOrder.LITTLE_ENDIAN),
        bytes.slice(cut, bytes.capacity() - cut).order(ByteOrder.LITTLE_ENDIAN));
  }
}
