package org.glmtuner.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.LinkedHashMap;
import java.util.Map;
import org.glmtuner.model.ChatGlmConfig.Prefix;

/** Without projection: the embedding's rows are the keys and values. */
final class PlainPrefixEncoder extends PrefixEncoder {
  PlainPrefixEncoder(NDManager parent, ChatGlmConfig config, Prefix prefix) {
    super(parent, config, prefix);
  }

  @Override
  NDArray rows(NDManager scope) {
    return view(PrefixTensor.EMBEDDING, scope);
  }

  @Override
  Map<String, NDArray> backward(NDArray rows) {
    Map<String, NDArray> gradients = new LinkedHashMap<>();
    gradients.put(PrefixTensor.EMBEDDING, rows);
    return gradients;
  }
}
