package org.glmtuner.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.glmtuner.model.ChatGlmConfig.Prefix;

/**
 * Without projection: the embedding's rows are the keys and values. It is kept as the transformer
 * takes it, [L, 2, P, H], so that nothing is moved in a step; only checkpoints have rows.
 */
final class PlainPrefixEncoder extends PrefixEncoder {
  PlainPrefixEncoder(NDManager parent, ChatGlmConfig config, Prefix prefix) {
    super(parent, config, prefix, Map.of(PrefixTensor.EMBEDDING, boundary(config, prefix)));
  }

  @Override
  public <E extends Exception> void fill(NDArray own, OfficialValues<E> values) throws E {
    try (NDManager scope = own.getManager().newSubManager()) {
      NDArray rows = scope.zeros(rows());
      values.writeTo(rows);
      List<ByteBuffer> ordered = ArrayMemory.pieces(fromRows(rows).flatten());
      List<ByteBuffer> memory = ArrayMemory.pieces(own);
      for (int i = 0; i < memory.size(); i++) {
        memory.get(i).put(ordered.get(i));
      }
    }
  }

  @Override
  public NDArray official(NDArray own, NDManager target) {
    return toRows(own, target);
  }

  @Override
  public NDArray keysAndValues(NDManager target) {
    return view(PrefixTensor.EMBEDDING, target);
  }

  @Override
  public Map<String, NDArray> gradients(NDArray gradient) {
    Map<String, NDArray> gradients = new LinkedHashMap<>();
    gradients.put(PrefixTensor.EMBEDDING, view(gradient, gradient.getManager()));
    return gradients;
  }
}
