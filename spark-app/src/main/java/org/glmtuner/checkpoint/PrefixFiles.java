package org.glmtuner.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.ChatGlmConfig.Prefix;
import org.glmtuner.model.PrefixTensor;
import org.glmtuner.storage.Folder;
import org.glmtuner.storage.LocalFolder;

/**
 * The files of a checkpoint: the prefix as the official trainer writes it and as safetensors, the
 * model's configuration with {@code pre_seq_len}, and the optimiser's moments.
 *
 * @param baseFingerprint of the weights that the prefix belongs to
 * @param step optimiser steps done
 */
public record PrefixFiles(ChatGlmConfig config, Prefix prefix, String baseFingerprint, long step) {
  public static final String PREFIX = "prefix.safetensors";
  public static final String OFFICIAL = "pytorch_model.bin";
  public static final String OPTIMIZER = "optimizer.safetensors";

  /**
   * All names under which a checkpoint directory may have its prefix, ours first; the last is what
   * later versions of the official trainer's library write.
   */
  public static final List<String> NAMES =
      List.of(PREFIX, OFFICIAL, TensorFormat.SAFETENSORS.fileName());

  // in the metadata
  static final String LENGTH = "pre_seq_len";
  static final String PROJECTION = "prefix_projection";
  private static final String FINGERPRINT = "base_fingerprint";

  /** What PyTorch calls the folder inside its archive: the file's name without the extension. */
  private static final String ARCHIVE_ROOT = "pytorch_model";

  private static final int PIECE_FLOATS = 1 << 18;

  /**
   * Writes all files.
   *
   * @param parameters by checkpoint name, FP32 little-endian, in pieces
   * @param moments likewise, two to a parameter
   */
  public void write(
      Path directory,
      Map<String, List<ByteBuffer>> parameters,
      Map<String, List<ByteBuffer>> moments)
      throws IOException {
    Map<String, String> metadata =
        Map.of(
            FINGERPRINT,
            baseFingerprint,
            "step",
            Long.toString(step),
            LENGTH,
            Integer.toString(prefix.length()),
            PROJECTION,
            Boolean.toString(prefix.projection()));
    Map<String, List<Long>> shapes = new HashMap<>();
    PrefixTensor.of(config, prefix).forEach(tensor -> shapes.put(tensor.name(), tensor.shape()));
    List<TensorSpec> tensors =
        parameters.keySet().stream()
            .map(name -> new TensorSpec(name, DType.F32, shapes.get(name)))
            .toList();
    List<TensorSpec> optimizer =
        moments.keySet().stream()
            .map(name -> new TensorSpec(name, DType.F32, shapes.get(parameterOf(name))))
            .toList();
    try (TensorWriter writer =
        new SafetensorsWriter(create(directory.resolve(PREFIX)), tensors, metadata)) {
      append(writer, tensors, parameters);
    }
    try (TensorWriter writer =
        new TorchArchiveWriter(create(directory.resolve(OFFICIAL)), ARCHIVE_ROOT, tensors)) {
      append(writer, tensors, parameters);
    }
    try (TensorWriter writer =
        new SafetensorsWriter(create(directory.resolve(OPTIMIZER)), optimizer, metadata)) {
      append(writer, optimizer, moments);
    }
    Files.write(directory.resolve(ChatGlmConfig.FILE), config.withPrefix(prefix).toJson());
  }

  /**
   * The name of the file that holds the prefix of a checkpoint directory: ours, or else an official
   * one.
   *
   * @throws TunerException (exit code 6) where there is neither
   */
  public static String find(Folder checkpoint) throws IOException {
    for (String name : NAMES) {
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
   * Refuses a prefix that is not the one that a run trains, so that no rank has to find out.
   *
   * @param wanted as configured
   * @throws TunerException (exit code 6) as {@link #examine}
   */
  public static void check(
      Folder checkpoint, String file, ChatGlmConfig base, Prefix wanted, String baseFingerprint)
      throws IOException {
    Prefix found = examine(checkpoint, file, base, baseFingerprint);
    if (!found.equals(wanted)) {
      throw unusable(
          checkpoint.locate(file),
          "its prefix has "
              + found
              + ", the run is to train "
              + wanted
              + " (prefix.length, prefix.projection)");
    }
  }

  /**
   * What the prefix in a file of a checkpoint directory is, after a look at all that is said of it:
   * the shapes of its tensors, its metadata, and {@code config.json} beside it.
   *
   * @param baseFingerprint of the weights that it is going to be used with
   * @throws TunerException (exit code 6) naming the file, what it has and what is needed, where the
   *     prefix is not for this base or the files contradict each other
   */
  public static Prefix examine(
      Folder checkpoint, String file, ChatGlmConfig base, String baseFingerprint)
      throws IOException {
    try (TensorFile tensors = TensorFile.open(checkpoint, file)) {
      Prefix found = shape(tensors, base);
      Map<String, String> metadata = tensors.metadata();
      String length = Integer.toString(found.length());
      String projection = Boolean.toString(found.projection());
      if (!metadata.getOrDefault(LENGTH, length).equals(length)
          || !metadata.getOrDefault(PROJECTION, projection).equals(projection)) {
        throw unusable(
            tensors.location(),
            "its tensors are of " + found + ", its metadata say " + new TreeMap<>(metadata));
      }
      Optional<Prefix> stated = ChatGlmConfig.readPrefix(checkpoint);
      if (stated.isPresent() && !stated.get().equals(found)) {
        throw unusable(
            tensors.location(),
            "its tensors are of "
                + found
                + ", "
                + ChatGlmConfig.FILE
                + " beside it says "
                + stated.get());
      }
      String trainedOn = metadata.getOrDefault(FINGERPRINT, baseFingerprint);
      if (!trainedOn.equals(baseFingerprint)) {
        throw unusable(
            tensors.location(),
            "it was trained on the base "
                + trainedOn
                + ", model.path is the base "
                + baseFingerprint);
      }
      return found;
    }
  }

  /** What the prefix in a file is, by the shapes of its tensors. */
  public static Prefix shape(Path file, ChatGlmConfig base) throws IOException {
    try (TensorFile tensors = open(file)) {
      return shape(tensors, base);
    }
  }

  private static Prefix shape(TensorFile tensors, ChatGlmConfig base) {
    PrefixShape found = PrefixShape.of(tensors);
    found.checkBase(tensors.location(), base);
    return found.prefix();
  }

  private static void checkShape(TensorFile tensors, String name, List<Long> expected) {
    List<Long> shape = tensors.get(name).shape();
    if (!shape.equals(expected)) {
      throw unusable(
          tensors.location(),
          name + " has the shape " + shape + ", what it is read into has " + expected);
    }
  }

  private static TunerException unusable(String file, String reason) {
    return TunerException.damaged("Cannot use " + file + ": " + reason);
  }

  private static TensorFile open(Path file) throws IOException {
    return TensorFile.open(new LocalFolder(file.getParent()), file.getFileName().toString());
  }

  /**
   * Fills {@code target} with a tensor of a prefix file, ours or the official one, piece by piece:
   * a prefix may be larger than a rank's Java heap.
   *
   * @param target FP32 little-endian, in pieces
   * @throws TunerException (exit code 6) where it is missing, of another shape, or has a value that
   *     is not finite
   */
  public static void read(Path file, String name, List<ByteBuffer> target, long... shape)
      throws IOException {
    try (TensorFile tensors = open(file)) {
      checkShape(tensors, name, Arrays.stream(shape).boxed().toList());
      float[] values = new float[PIECE_FLOATS];
      long first = 0;
      for (ByteBuffer bytes : target) {
        FloatBuffer floats = bytes.asFloatBuffer();
        while (floats.hasRemaining()) {
          int count = Math.min(values.length, floats.remaining());
          tensors.readFloats(name, first, values, 0, count);
          checkFinite(tensors, name, first, values, count);
          floats.put(values, 0, count);
          first += count;
        }
      }
    }
  }

  private static void checkFinite(
      TensorFile tensors, String name, long first, float[] values, int count) {
    for (int i = 0; i < count; i++) {
      if (!Float.isFinite(values[i])) {
        throw TensorPass.notFinite(tensors, name, first + i, values[i]);
      }
    }
  }

  /** A moment is named by its parameter, a dot, and what it is. */
  private static String parameterOf(String moment) {
    return moment.substring(0, moment.lastIndexOf('.'));
  }

  private static void append(
      TensorWriter writer, List<TensorSpec> specs, Map<String, List<ByteBuffer>> tensors)
      throws IOException {
    for (TensorSpec spec : specs) {
      for (ByteBuffer piece : tensors.get(spec.name())) {
        writer.append(spec.name(), piece.duplicate());
      }
    }
    writer.finish();
  }

  private static FileChannel create(Path file) throws IOException {
    return FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
  }
}
