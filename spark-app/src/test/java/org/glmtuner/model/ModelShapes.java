package org.glmtuner.model;

import ai.djl.ndarray.types.Shape;
import java.util.LinkedHashMap;
import java.util.Map;

/** The tensors of a model, for tests and programs of other packages. */
public final class ModelShapes {
  private ModelShapes() {}

  /** Shapes by official names, in the order of the layers; the output matrix is the embedding. */
  public static Map<String, Shape> of(ChatGlmConfig config) {
    Map<String, Shape> shapes = new LinkedHashMap<>();
    for (ModelTensor tensor : ModelTensor.of(config)) {
      shapes.put(
          tensor.name(), new Shape(tensor.shape().stream().mapToLong(Long::longValue).toArray()));
    }
    return shapes;
  }
}
