package org.glmtuner.nativeddp;

/**
 * Memory cannot be on the NUMA nodes that it was asked for on: the kernel or a container refuses
 * it, or they have no room. The same is possible without that wish.
 */
public final class PlacementRefusedException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  public PlacementRefusedException(String message) {
    super(message);
  }
}
