package org.glmtuner.nativeddp;

import static org.glmtuner.nativeddp.Checks.check;

/** The sizes of a ChatGLM model. The head size is {@code hidden / heads}. */
public record ModelDimensions(
    int layers, int hidden, int heads, int inner, int vocabulary, double layerNormEpsilon) {
  public ModelDimensions {
    check(layers > 0, "number of layers", layers, "must be positive");
    check(hidden > 0, "hidden size", hidden, "must be positive");
    check(heads > 0, "number of heads", heads, "must be positive");
    check(inner > 0, "inner size", inner, "must be positive");
    check(vocabulary > 0, "vocabulary size", vocabulary, "must be positive");
    check(layerNormEpsilon > 0, "layer norm epsilon", layerNormEpsilon, "must be positive");
    check(hidden % heads == 0, "hidden size", hidden, "must be divisible by " + heads + " heads");
    check(
        hidden / heads % 4 == 0,
        "head size",
        hidden / heads,
        "must be divisible by 4: two rotary halves of pairs");
  }

  public int headSize() {
    return hidden / heads;
  }
}
