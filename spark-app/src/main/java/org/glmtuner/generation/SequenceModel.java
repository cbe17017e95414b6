package org.glmtuner.generation;

/**
 * A model that lets sequences grow token by token. Sequences are numbered by the caller, from 0; a
 * number is used again when its sequence has ended. For one thread.
 */
public interface SequenceModel {
  /** V: ids run from 0 to below it. */
  int vocabulary();

  /** Sequence {@code index} becomes {@code prompt}, to which at most {@code most} are appended. */
  void begin(int index, int[] prompt, int most);

  void append(int index, int token);

  /**
   * Runs what the sequences have got since they last ran.
   *
   * @param logits [n, V] receives those of the token that follows each sequence, in the order of
   *     {@code indices}
   */
  void run(int[] indices, float[] logits);
}
