package org.glmtuner.model;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.glmtuner.checkpoint.DType;
import org.glmtuner.checkpoint.SafetensorsLayout;
import org.glmtuner.checkpoint.TensorFile;
import org.glmtuner.checkpoint.TensorSpec;
import org.glmtuner.config.Precision;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.DiskSpace;
import org.glmtuner.storage.LocalFolder;

/**
 * The file that ranks map: a safetensors file with the frozen model as native code wants it.
 *
 * <p>Its data section starts on a page. Norms and biases are F32 and come first, so that matrices
 * of either type stay aligned; matrices are BF16, rounded to nearest even, or F32. The rows of
 * query_key_value, officially mixed per head, are all heads' queries, then keys, then values. The
 * output matrix is left out: it is the embedding.
 */
public final class WeightFile {
  private static final int PAGE = 4096;
  private static final String FORMAT = "glm-tuner-weights";

  private WeightFile() {}

  /** The tensors in the order of the file. */
  static List<TensorSpec> tensors(ChatGlmConfig config, Precision precision) {
    return ModelTensor.of(config).stream()
        .sorted(Comparator.comparing(ModelTensor::isMatrix)) // stable: otherwise as in the model
        .map(tensor -> new TensorSpec(tensor.name(), storedType(tensor, precision), tensor.shape()))
        .toList();
  }

  /** Bytes of all tensors. */
  public static long bytes(ChatGlmConfig config, Precision precision) {
    return tensors(config, precision).stream().mapToLong(TensorSpec::bytes).sum();
  }

  static DType storedType(ModelTensor tensor, Precision precision) {
    return tensor.isMatrix() ? matrixType(precision) : DType.F32;
  }

  static DType matrixType(Precision precision) {
    return precision == Precision.BF16 ? DType.BF16 : DType.F32;
  }

  /** Whether the file says that it is one. */
  public static boolean isOne(TensorFile file) {
    return FORMAT.equals(file.metadata().get("format"));
  }

  static Map<String, String> metadata(OfficialWeights source, Precision precision)
      throws IOException {
    return metadata(source.fingerprint(), precision);
  }

  /** What a file says of itself. */
  static Map<String, String> metadata(String fingerprint, Precision precision) {
    return Map.of(
        "format",
        FORMAT,
        "version",
        "1",
        "precision",
        precision.label(),
        "qkv_layout",
        "Q|K|V",
        "source_fingerprint",
        fingerprint);
  }

  /**
   * Makes the file. It appears under its name when it is complete and on the disk, not before;
   * whatever happens, nothing else of it stays. Takes a few MB of memory at any size of model.
   *
   * @throws TunerException if a weight is not finite or too large for the precision, if {@code
   *     lm_head} differs from the embedding, or if the disk is too small
   */
  public static void convert(
      OfficialWeights source, Precision precision, Path target, ProgressListener listener)
      throws IOException {
    write(
        layout(tensors(source.config(), precision), metadata(source, precision)),
        target,
        (layout, out) -> new WeightConversion(source, precision, layout, out, listener).run());
  }

  /** The file of these tensors. */
  static SafetensorsLayout layout(List<TensorSpec> tensors, Map<String, String> metadata) {
    return new SafetensorsLayout(tensors, metadata, PAGE);
  }

  /** Fills a file, header included. */
  interface Content {
    void write(SafetensorsLayout layout, FileChannel out) throws IOException;
  }

  /** As {@link #convert}, of any content. */
  static void write(SafetensorsLayout layout, Path target, Content content) throws IOException {
    Path directory = target.toAbsolutePath().getParent();
    DiskSpace.require(target, layout.fileBytes());
    Path temporary = Files.createTempFile(directory, temporaryPrefix(target), ".tmp");
    try {
      try (FileChannel out = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
        content.write(layout, out);
        out.force(true);
      } catch (IOException e) {
        DiskSpace.explain(target, layout.fileBytes(), e);
        throw e;
      }
      Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(temporary);
    }
    try (FileChannel entries = FileChannel.open(directory)) {
      entries.force(true); // the new name, too, survives a power failure
    }
  }

  /** What the names of unfinished files for this target start with. */
  static String temporaryPrefix(Path target) {
    return "." + target.getFileName() + ".";
  }

  /** Why a file cannot serve for these weights, or nothing if it can. Reads its header only. */
  static Optional<String> problem(Path file, Map<String, String> metadata, List<TensorSpec> tensors)
      throws IOException {
    LocalFolder folder = new LocalFolder(file.toAbsolutePath().getParent());
    try (TensorFile found = TensorFile.open(folder, file.getFileName().toString())) {
      if (!found.metadata().equals(metadata)) {
        return Optional.of("it says of itself " + found.metadata());
      }
      if (!List.copyOf(found.tensors()).equals(tensors)) {
        return Optional.of("it holds other tensors");
      }
      return Optional.empty();
    } catch (TunerException e) {
      return Optional.of(e.getMessage());
    }
  }
}
