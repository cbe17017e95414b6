package org.glmtuner.model;

import java.io.IOException;
import java.util.Optional;
import java.util.function.LongConsumer;
import org.glmtuner.checkpoint.TensorFile;

/** Whether a stored output matrix is the embedding, as it has to be in ChatGLM-6B. */
public final class TiedHead {
  private static final int PIECE = 1 << 18;

  private TiedHead() {}

  /**
   * Compares the two value by value, unless they are the same bytes of one file.
   *
   * @param progress hears of each piece how many bytes of both were read
   * @return where they differ, as a sentence; nothing where they do not, or where none is stored
   */
  public static Optional<String> difference(OfficialWeights weights, LongConsumer progress)
      throws IOException {
    Optional<TensorFile> stored = weights.headFile();
    TensorFile embedding = weights.file(ModelTensor.EMBEDDING);
    if (stored.isEmpty()
        || stored.get().sharesStorage(ModelTensor.HEAD, embedding, ModelTensor.EMBEDDING)) {
      return Optional.empty();
    }
    TensorFile head = stored.get();
    int bytes =
        head.get(ModelTensor.HEAD).dtype().bytes()
            + embedding.get(ModelTensor.EMBEDDING).dtype().bytes();
    long count = head.get(ModelTensor.HEAD).elements();
    float[] one = new float[PIECE];
    float[] other = new float[PIECE];
    for (long first = 0; first < count; first += PIECE) {
      int now = (int) Math.min(PIECE, count - first);
      head.readFloats(ModelTensor.HEAD, first, one, 0, now);
      embedding.readFloats(ModelTensor.EMBEDDING, first, other, 0, now);
      for (int i = 0; i < now; i++) {
        if (one[i] != other[i]) {
          return Optional.of(
              String.format(
                  "Cannot use the weights in %s: %s of %s has %s at element %d, %s of %s has %s"
                      + " (ChatGLM-6B has them tied)",
                  weights.location(),
                  ModelTensor.HEAD,
                  head.name(),
                  one[i],
                  first + i,
                  ModelTensor.EMBEDDING,
                  embedding.name(),
                  other[i]));
        }
      }
      progress.accept((long) now * bytes);
    }
    return Optional.empty();
  }
}
