package org.glmtuner.rank;

import java.util.function.IntConsumer;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.nativeddp.PlacementRefusedException;
import org.glmtuner.nativeddp.ProcessControl;
import org.glmtuner.placement.RankPlacement;

/**
 * Where a rank has what is its own: activations, workspaces, prefix, gradients, moments. The kernel
 * is told once for the thread that is to allocate them, before it starts those that compute; the
 * Java machine's threads, its collector's and compiler's, go on as they were.
 */
final class OwnMemory {
  private OwnMemory() {}

  /**
   * Applies a placement to the calling thread and those that it is going to start.
   *
   * @return what came of it, to be added to a sentence; empty where nothing was asked for
   * @throws TunerException (exit code 3) if the configuration asks for what the kernel refuses
   */
  static String prefer(RankPlacement placement) {
    return prefer(placement, ProcessControl::preferMemoryOf);
  }

  static String prefer(RankPlacement placement, IntConsumer preferMemoryOf) {
    int node = placement.preferred();
    if (node == RankPlacement.NEAREST) {
      return "";
    }
    try {
      preferMemoryOf.accept(node);
      return ", own memory from NUMA node " + node + " first";
    } catch (PlacementRefusedException e) {
      if (placement.preferenceRequired()) {
        throw new TunerException(
            ExitCode.UNSUITABLE, e.getMessage() + " (memory.kind = auto goes on without)", e);
      }
      return ", own memory wherever it is: " + e.getMessage();
    }
  }
}
