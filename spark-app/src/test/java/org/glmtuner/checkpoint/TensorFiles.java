package org.glmtuner.checkpoint;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Writes tensor files for tests. */
public final class TensorFiles {

  private TensorFiles() {}

  /** Numbers in [-1, 1) that F16 and BF16 hold only rounded. */
  public static float[] random(Random random, long count) {
    float[] values = new float[Math.toIntExact(count)];
    for (int i = 0; i < values.length; i++) {
      values[i] = 2 * random.nextFloat() - 1;
    }
    return values;
  }

  public static void writeTorch(Path file, Map<TensorSpec, float[]> tensors) throws IOException {
    writeTorch(file, "archive", tensors);
  }

  /** As PyTorch would under the file name {@code root}. */
  public static void writeTorch(Path file, String root, Map<TensorSpec, float[]> tensors)
      throws IOException {
    write(new TorchArchiveWriter(create(file), root, List.copyOf(tensors.keySet())), tensors);
  }

  public static void writeSafetensors(Path file, Map<TensorSpec, float[]> tensors)
      throws IOException {
    write(
        new SafetensorsWriter(create(file), List.copyOf(tensors.keySet()), Map.of("format", "pt")),
        tensors);
  }

  public static FileChannel create(Path file) throws IOException {
    return FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
  }

  private static void write(TensorWriter writer, Map<TensorSpec, float[]> tensors)
      throws IOException {
    try (writer) {
      for (Map.Entry<TensorSpec, float[]> tensor : tensors.entrySet()) {
        writer.append(tensor.getKey().name(), tensor.getValue());
      }
      writer.finish();
    }
  }
}
