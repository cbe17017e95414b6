package org.glmtuner.nativeddp;

/** What a process asks of Linux about itself. */
public final class ProcessControl {
  private ProcessControl() {}

  /**
   * Has the kernel kill this process when the thread that started it ends. Must be called on a
   * thread that lives as long as the process.
   *
   * @throws IllegalStateException if the parent is not {@code expectedParent}: it has ended already
   */
  public static void dieWithParent(long expectedParent) {
    NativeMethods.dieWithParent(expectedParent);
  }

  /** Numbers of the CPUs that the calling thread may run on, ascending. */
  public static int[] allowedCpus() {
    return NativeMethods.allowedCpus();
  }

  /**
   * The calling thread, and threads that it starts from now on, take their memory from this NUMA
   * node as long as it has some, then from others. What threads that run already allocate is not
   * affected.
   *
   * @throws PlacementRefusedException if the kernel or a container does not let it
   */
  public static void preferMemoryOf(int node) {
    NativeMethods.preferMemoryOf(node);
  }
}
