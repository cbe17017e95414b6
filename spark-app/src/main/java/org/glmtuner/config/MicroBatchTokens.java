package org.glmtuner.config;

import java.io.Serializable;

/** {@code training.micro-batch-tokens}: what bounds the tokens of one pass of a rank. */
public sealed interface MicroBatchTokens extends Serializable {

  /** So many on every rank. */
  record Given(int tokens) implements MicroBatchTokens {}

  /** {@code auto}: as many as the memory has room for that is free when the rank starts. */
  record Auto() implements MicroBatchTokens {}
}
