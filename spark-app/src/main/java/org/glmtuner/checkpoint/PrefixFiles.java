package org.glmtuner.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.PrefixEncoder;
import org.glmtuner.storage.Folder;
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

  private static final String FINGERPRINT = "base_fingerprint"; // in the metadata

  /** What PyTorch calls the folder inside its archive: the file's name without the extension. */
  private static final String ARCHIVE_ROOT = "pytorch_model";

  private static final int PIECE_FLOATS = 1 << 18;

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
            FINGERPRINT,
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
   * The name of the file that holds the prefix of a checkpoint directory: ours, or else the
   * official one.
   *
   * @throws TunerException (exit code 6) where there is neither
   */
  public static String find(Folder checkpoint) throws IOException {
    for (String name : List.of(PREFIX, OFFICIAL)) {
      if (checkpoint.contains(name)) {
        return name;
      }
    }
    throw TunerException.damaged(
        "Cannot read a prefix from "
            + checkpoint.location()
            + ": it has neither "
            + PREFIX
            + " nor "
            + OFFICIAL);
  }

  /**
   * Refuses a checkpoint directory whose prefix does not fit, so that no rank has to find out.
   *
   * @param baseFingerprint of the weights that it is going to be used with
   * @throws TunerException (exit code 6) naming the file, what it has and what is needed
   */
  public static void check(
      Folder checkpoint, ChatGlmConfig base, int prefixLength, String baseFingerprint)
      throws IOException {
    try (TensorFile tensors = TensorFile.open(checkpoint, find(checkpoint))) {
      if (tensors.find(PrefixEncoder.CHECKPOINT_PREFIX + "trans.0.weight").isPresent()) {
        throw TunerException.damaged(
            "Cannot use "
                + tensors.location()
                + ": its prefix has a projection (this version trains prefixes without one)");
      }
      checkShape(
          tensors,
          PrefixEncoder.EMBEDDING,
          List.of((long) prefixLength, 2L * base.numLayers() * base.hiddenSize()));
      String trainedOn = tensors.metadata().getOrDefault(FINGERPRINT, baseFingerprint);
      if (!trainedOn.equals(baseFingerprint)) {
        throw TunerException.damaged(
            "Cannot use "
                + tensors.location()
                + ": it was trained on the base "
                + trainedOn
                + ", model.path is the base "
                + baseFingerprint);
      }
    }
  }

  private static void checkShape(TensorFile tensors, String name, List<Long> expected) {
    List<Long> shape = tensors.get(name).shape();
    if (!shape.equals(expected)) {
      throw TunerException.damaged(
          "Cannot use "
              + tensors.location()
              + ": "
              + name
              + " has the shape "
              + shape
              + ", the model and prefix.length need "
              + expected);
    }
  }

  /**
   * Fills {@code target} with a tensor of a prefix file, ours or the official one, piece by piece:
   * a prefix may be larger than a rank's Java heap.
   *
   * @throws TunerException (exit code 6) where it is missing or of another shape
   */
  public static void read(Path file, String name, FloatBuffer target, long... shape)
      throws IOException {
    try (TensorFile tensors =
        TensorFile.open(new LocalFolder(file.getParent()), file.getFileName().toString())) {
      checkShape(tensors, name, Arrays.stream(shape).boxed().toList());
      float[] piece = new float[Math.min(PIECE_FLOATS, target.remaining())];
      for (long first = 0; target.hasRemaining(); first += piece.length) {
        int count = Math.min(piece.length, target.remaining());
        tensors.readFloats(name, first, piece, 0, count);
        target.put(piece, 0, count);
      }
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
