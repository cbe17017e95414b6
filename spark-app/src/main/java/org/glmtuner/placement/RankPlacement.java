package org.glmtuner.placement;

import java.io.Serializable;
import java.util.List;

/**
 * Where one rank has its weights and its own memory.
 *
 * @param nodes NUMA nodes of its copy of the weights, several of which take the pages in turn;
 *     empty: no copy, the weight file is mapped
 * @param shared whether other ranks use the same copy
 * @param preferred NUMA node that the rank's own memory comes from first; {@link #NEAREST} where
 *     that is the kernel's choice anyway
 * @param copyRequired whether the configuration asks for the copy, so that the rank must not map
 *     the file instead
 * @param preferenceRequired whether it asks for the preferred node, so that the rank must not go on
 *     without
 */
public record RankPlacement(
    List<Integer> nodes,
    boolean shared,
    int preferred,
    boolean copyRequired,
    boolean preferenceRequired)
    implements Serializable {
  public static final int NEAREST = -1;

  /** The weight file mapped, and all else where the kernel likes. */
  public static final RankPlacement MAPPED =
      new RankPlacement(List.of(), true, NEAREST, false, false);

  public RankPlacement {
    nodes = List.copyOf(nodes);
  }

  /** Whether the rank reads a copy of the weight file, not the file itself. */
  public boolean copied() {
    return !nodes.isEmpty();
  }
}
