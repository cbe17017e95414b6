package org.glmtuner.nativeddp;

import java.nio.file.Path;
import java.util.function.LongFunction;

/**
 * This process's membership in the group of all ranks, by MPI. Methods marked collective are called
 * by every rank in the same order, and return when all have; tensors are handles, contiguous on the
 * CPU, and changed in place. A collective that waits for a dead rank waits for ever: that is for
 * the process's supervisor to notice.
 */
public final class MpiProcessGroup implements AutoCloseable {
  private final NativeHandle handle;
  private final int rank;
  private final int worldSize;
  private final String libraryVersion;

  private MpiProcessGroup(int rank, int worldSize, long address) {
    handle =
        new NativeHandle(
            this,
            "process group of rank " + rank + " of " + worldSize,
            address,
            NativeMethods::closeGroup);
    this.rank = rank;
    this.worldSize = worldSize;
    libraryVersion = handle.with(NativeMethods::libraryVersion);
  }

  /**
   * Collective. Loads the MPI library, connects to the PMI-1 server at the socket, and initialises
   * and tests MPI; the JVM keeps its signal handlers, and no file stays in /dev/shm. Possible once
   * per process. A failing MPI_Init may end the process, with its reason on stderr.
   *
   * @param mpiLibrary a libmpi with the MPICH ABI: MPICH, Intel MPI, MVAPICH2
   * @param pmiSocket path of at most 107 bytes
   * @throws IllegalArgumentException if the library cannot be used (Open MPI has another ABI)
   * @throws IllegalStateException if MPI fails, or the group is not as expected
   */
  public static MpiProcessGroup join(Path mpiLibrary, Path pmiSocket, int rank, int worldSize) {
    return new MpiProcessGroup(
        rank,
        worldSize,
        NativeMethods.joinGroup(mpiLibrary.toString(), pmiSocket.toString(), rank, worldSize));
  }

  public int rank() {
    return rank;
  }

  public int worldSize() {
    return worldSize;
  }

  /** What the MPI library calls itself. */
  public String libraryVersion() {
    return libraryVersion;
  }

  /** Collective: the sum over all ranks, of FP64, FP32, BF16 or integers. */
  public void allReduceSum(long tensor) {
    handle.run(address -> NativeMethods.allReduceSum(address, tensor));
  }

  /** Collective: the largest of all ranks, of FP64, FP32 or integers. */
  public void allReduceMax(long tensor) {
    handle.run(address -> NativeMethods.allReduceMax(address, tensor));
  }

  /** Collective: the tensor of rank {@code root}, of any type. */
  public void broadcast(long tensor, int root) {
    handle.run(address -> NativeMethods.broadcast(address, tensor, root));
  }

  /** Collective. */
  public void barrier() {
    handle.run(NativeMethods::barrier);
  }

  <T> T with(LongFunction<T> use) {
    return handle.with(use);
  }

  /** Collective: waits for all ranks, then finalises MPI. */
  @Override
  public void close() {
    handle.close();
  }
}
