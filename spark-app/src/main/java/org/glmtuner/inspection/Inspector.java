package org.glmtuner.inspection;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import org.glmtuner.checkpoint.TensorFile;
import org.glmtuner.checkpoint.TensorPass;
import org.glmtuner.checkpoint.TensorSpec;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.Folder;
import org.glmtuner.storage.SourcePath;

/** Looks at whatever a path holds. What is wrong with it is part of the answer. */
public final class Inspector {
  private final boolean thorough;
  private final LongConsumer progress;

  /**
   * Prepares to inspect.
   *
   * @param thorough also reads all weights: for values that are not finite, for the sums of torch
   *     archives, and for SHA-256 of published files; prefixes are always read
   * @param progress hears of each piece that is read how many bytes it had
   */
  public Inspector(boolean thorough, LongConsumer progress) {
    this.thorough = thorough;
    this.progress = progress;
  }

  boolean isThorough() {
    return thorough;
  }

  LongConsumer progress() {
    return progress;
  }

  /**
   * Inspects.
   *
   * @throws TunerException (exit code 6) where there is nothing, or nothing that can be told apart
   */
  public Inspection inspect(SourcePath path) throws IOException {
    Holding holding = Holding.of(path);
    return switch (holding) {
      case RUN -> new RunInspection(this).of(path.directory());
      case MODEL -> new ModelInspection(this).of(path);
      case PREFIX ->
          new PrefixInspection(this)
              .of(path.directory(), path.file(), path.file().isEmpty() || thorough);
      case WEIGHT_FILE, TENSORS -> file(holding, path.folder(), Holding.weights(path));
    };
  }

  private Inspection file(Holding holding, Folder folder, String name) throws IOException {
    Inspection inspection = new Inspection(holding, folder.locate(name));
    inspection.fact("file_bytes", folder.size(name));
    try (TensorFile file = TensorFile.open(folder, name)) {
      if (!file.metadata().isEmpty()) {
        inspection.fact("metadata", new TreeMap<>(file.metadata()));
      }
      count(inspection, file);
      inspection.tensors(file);
      if (thorough) {
        read(inspection, file);
      }
    }
    return inspection;
  }

  /** Notes how many values of each type the file has. */
  static void count(Inspection inspection, TensorFile file) {
    Map<String, Long> values = new LinkedHashMap<>();
    file.tensors()
        .forEach(tensor -> values.merge(tensor.dtype().name(), tensor.elements(), Long::sum));
    inspection.fact("parameters", file.tensors().stream().mapToLong(TensorSpec::elements).sum());
    inspection.fact("values", values);
  }

  /** Reads all tensors of the file and notes what is wrong with them. */
  void read(Inspection inspection, TensorFile file) throws IOException {
    TensorPass pass = new TensorPass(progress);
    for (TensorSpec tensor : file.tensors()) {
      try {
        pass.read(file, tensor.name(), bytes -> {});
      } catch (TunerException e) {
        inspection.problem(e);
      }
    }
  }
}
