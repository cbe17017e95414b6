package org.glmtuner.reference;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;
import org.glmtuner.data.Sample;

/**
 * Samples as the official model sees them: padded on the right to the longest, with its masks and
 * positions. B samples, S positions, R labelled positions of all samples.
 *
 * @param ids [B, S], padding is id 0: nothing looks at it
 * @param positions [B][S] of the rotary embedding's first half: t before sop, the mask's from there
 * @param blockPositions [B][S] of its second half: 0 before sop, then 1, 2, …
 * @param attention [B, 1, S, S], 0 where the row may look at the column, else a large negative
 *     number
 * @param labelled [R], positions in the flattened [B·S] from which something is to be predicted
 * @param targets [R], what
 * @param owners [R][B], 1 where the labelled position is of that sample
 */
record ReferenceBatch(
    NDArray ids,
    int[][] positions,
    int[][] blockPositions,
    NDArray attention,
    NDArray labelled,
    NDArray targets,
    NDArray owners) {
  private static final float BLOCKED = -1e9f;

  static ReferenceBatch of(List<Sample> samples, NDManager manager) {
    int count = samples.size();
    int length = samples.stream().mapToInt(Sample::length).max().orElseThrow();
    long[] ids = new long[count * length];
    int[][] positions = new int[count][length];
    int[][] blockPositions = new int[count][length];
    float[] attention = new float[count * length * length];
    List<long[]> labelled = new ArrayList<>(); // position, target, sample
    for (int b = 0; b < count; b++) {
      Sample sample = samples.get(b);
      int context = sample.contextLength();
      for (int t = 0; t < length; t++) {
        ids[b * length + t] = t < sample.length() ? sample.inputIds()[t] : 0;
        positions[b][t] = t < context ? t : sample.maskPosition();
        blockPositions[b][t] = t < context ? 0 : t - context + 1;
        for (int s = 0; s < length; s++) {
          boolean visible = s <= t || s < context;
          attention[(b * length + t) * length + s] = visible ? 0 : BLOCKED;
        }
        if (t + 1 < sample.length() && sample.labels()[t + 1] != Sample.IGNORED) {
          labelled.add(new long[] {(long) b * length + t, sample.labels()[t + 1], b});
        }
      }
    }
    float[] owners = new float[labelled.size() * count];
    for (int r = 0; r < labelled.size(); r++) {
      owners[r * count + (int) labelled.get(r)[2]] = 1;
    }
    return new ReferenceBatch(
        manager.create(ids, new Shape(count, length)),
        positions,
        blockPositions,
        manager.create(attention, new Shape(count, 1, length, length)),
        manager.create(labelled.stream().mapToLong(row -> row[0]).toArray()),
        manager.create(labelled.stream().mapToLong(row -> row[1]).toArray()),
        manager.create(owners, new Shape(labelled.size(), count)));
  }
}
