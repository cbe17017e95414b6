package org.glmtuner.reference;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.glmtuner.checkpoint.TensorFile;
import org.glmtuner.checkpoint.TensorSpec;
import org.glmtuner.storage.LocalFolder;

/** Tensors of a file as FP32 arrays. */
public final class ReferenceWeights {
  private ReferenceWeights() {}

  /** All tensors of a model directory's torch archives, by their names. */
  public static Map<String, NDArray> readModel(Path directory, NDManager manager)
      throws IOException {
    Map<String, NDArray> arrays = new LinkedHashMap<>();
    for (String name : new LocalFolder(directory).names()) {
      if (name.startsWith("pytorch_model") && name.endsWith(".bin")) {
        arrays.putAll(read(directory.resolve(name), manager));
      }
    }
    return arrays;
  }

  /** All tensors of a safetensors file or torch archive, by their names. */
  public static Map<String, NDArray> read(Path file, NDManager manager) throws IOException {
    Map<String, NDArray> arrays = new LinkedHashMap<>();
    try (TensorFile tensors =
        TensorFile.open(new LocalFolder(file.getParent()), file.getFileName().toString())) {
      for (TensorSpec spec : tensors.tensors()) {
        if (spec.dtype().isFloat()) {
          long[] shape = spec.shape().stream().mapToLong(Long::longValue).toArray();
          arrays.put(
              spec.name(), manager.create(tensors.readFloats(spec.name()), new Shape(shape)));
        }
      }
    }
    return arrays;
  }
}
