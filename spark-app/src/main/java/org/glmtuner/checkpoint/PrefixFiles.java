package org.glmtuner.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.storage.LocalFolder;

/**
 * The files of a checkpoint: the prefix as the official trainer writes it and as safetensors, the
 * model's configuration with {@code pre_seq_len}, and the optimiser's moments.
 *
 * @param baseFingerprint of the weights that the prefix belongs to
 * @param step optimiser steps done
 */
public record PrefixFiles(
    ChatGlmConfig config, int prefixLength, String baseFingerprint, long step) {
  public static final String PREFIX = "prefix.safetensors";
  public static final String OFFICIAL = "pytorch_model.bin";
  public static final String OPTIMIZER = "optimizer.safetensors";

  /** What PyTorch calls the folder inside its archive: the file's name without the extension. */
  private static final String ARCHIVE_ROOT = "pytorch_model";

  /**
   * Writes all files.
   *
   * @param parameters by checkpoint name, FP32 little-endian
   * @param moments likewise
   */
  public void write(
      Path directory, Map<String, ByteBuffer> parameters, Map<String, ByteBuffer> moments)
      throws IOException {
    Map<String, String> metadata =
        Map.of(
            "base_fingerprint",
            baseFingerprint,
            "step",
            Long.toString(step),
            "pre_seq_len",
            Integer.toString(prefixLength),
            "prefix_projection",
            "false");
    List<TensorSpec> prefix = specs(parameters, prefixLength);
    List<TensorSpec> optimizer = specs(moments, prefixLength);
    try (TensorWriter writer =
        new SafetensorsWriter(create(directory.resolve(PREFIX)), prefix, metadata)) {
      append(writer, prefix, parameters);
    }
    try (TensorWriter writer =
        new TorchArchiveWriter(create(directory.resolve(OFFICIAL)), ARCHIVE_ROOT, prefix)) {
      append(writer, prefix, parameters);
    }
    try (TensorWriter writer =
        new SafetensorsWriter(create(directory.resolve(OPTIMIZER)), optimizer, metadata)) {
      append(writer, optimizer, moments);
    }
    Files.write(
        directory.resolve(ChatGlmConfig.FILE),
        config.withPrefix(new ChatGlmConfig.Prefix(prefixLength, false)).toJson());
  }

  /**
   * A tensor of a prefix file, ours or the official one.
   *
   * @throws TunerException (exit code 6) where it is missing or of another shape
   */
  public static float[] read(Path file, String name, long... shape) throws IOException {
    try (TensorFile tensors =
        TensorFile.open(new LocalFolder(file.getParent()), file.getFileName().toString())) {
      TensorSpec spec = tensors.get(name);
      List<Long> expected = Arrays.stream(shape).boxed().toList();
      if (!spec.shape().equals(expected)) {
        throw TunerException.damaged(
            "Cannot use "
                + tensors.location()
                + ": "
                + name
                + " has the shape "
                + spec.shape()
                + ", the model and prefix.length need "
                + expected);
      }
      return tensors.readFloats(name);
    }
  }

  /** All tensors of a plain prefix are [P, …]. */
  private static List<TensorSpec> specs(Map<String, ByteBuffer> tensors, int prefixLength) {
    return tensors.entrySet().stream()
        .map(
            entry ->
                TensorSpec.of(
                    entry.getKey(),
                    DType.F32,
                    prefixLength,
                    entry.getValue().remaining() / Float.BYTES / prefixLength))
        .toList();
  }

  private static void append(
      TensorWriter writer, List<TensorSpec> specs, Map<String, ByteBuffer> tensors)
      throws IOException {
    for (TensorSpec spec : specs) {
      writer.append(spec.name(), tensors.get(spec.name()).duplicate());
    }
    writer.finish();
  }

  private static FileChannel create(Path file) throws IOException {
    return FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
  }
}
