package org.glmtuner.nativeddp;

import java.util.List;

/**
 * Where the bytes of a weight file are to be in memory.
 *
 * @param nodes numbers of the NUMA nodes that a copy is bound to, several of which take its pages
 *     in turn; empty: no copy, the file itself is mapped, and the kernel has placed its pages
 * @param shared whether a copy is shared with other processes that ask for the same one. It lives
 *     as long as one of them; the first one makes it, others wait meanwhile
 */
public record WeightPlacement(List<Integer> nodes, boolean shared) {
  /** The file itself. */
  public static final WeightPlacement MAPPED = new WeightPlacement(List.of(), true);

  public WeightPlacement {
    nodes = List.copyOf(nodes);
  }

  int[] nodeNumbers() {
    return nodes.stream().mapToInt(Integer::intValue).toArray();
  }
}
