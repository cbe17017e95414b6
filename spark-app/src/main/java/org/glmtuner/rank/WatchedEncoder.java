package org.glmtuner.rank;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.Map;
import org.glmtuner.model.PrefixEncoder;
import org.glmtuner.wire.Frame.Phase;

/** A prefix encoder that signs of life speak of while it works, since it shows no progress. */
@SuppressWarnings("try") // activities are held, not used
record WatchedEncoder(PrefixEncoder encoder, TaskLink task) {
  /** {@link PrefixEncoder#keysAndValues}. */
  NDArray keysAndValues(NDManager target) {
    try (TaskLink.Activity encoding = task.enter(Phase.ENCODING_PREFIX)) {
      return encoder.keysAndValues(target);
    }
  }

  /** {@link PrefixEncoder#gradients}. */
  Map<String, NDArray> gradients(NDArray gradient) {
    try (TaskLink.Activity encoding = task.enter(Phase.ENCODING_PREFIX)) {
      return encoder.gradients(gradient);
    }
  }
}
