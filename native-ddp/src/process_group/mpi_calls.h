#pragma once

#include <mpi.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "process_group/mpi_library.h"

namespace native_ddp {

/**
 * Collectives over MPI_COMM_WORLD, made on one thread. MPI libraries wait by polling, on a core that this process
 * computes with: here a rank polls for a tenth of a millisecond, so that ranks that come together lose no time, and
 * then sleeps between its looks. Every collective first waits for all ranks, which tells apart the time that a late
 * rank takes from the time that data takes. Each call throws std::runtime_error, naming the call, the bytes and the
 * rank.
 */
class MpiCalls {
 public:
  /** From when all ranks have come to the end. */
  using Duration = std::chrono::steady_clock::duration;

  MpiCalls(std::shared_ptr<const MpiLibrary> library, int rank, int world_size);

  /**
   * In place. All ranks get the same bits, whenever each of them comes: MPI libraries with MPICH's ABI add in an order
   * that follows from the number of ranks and elements, and of any element every rank has the same sum or copies it.
   */
  Duration AllReduce(void* data, std::int64_t count, std::size_t element_bytes, MPI_Datatype type, MPI_Op operation);
  Duration Broadcast(void* data, std::int64_t bytes, int root);
  /** outputs: one for each rank. */
  Duration AllGather(const void* input, std::int64_t bytes, void* const* outputs);
  Duration Barrier();

 private:
  void AwaitAllRanks(const std::string& action);
  /** Completes the request, looking for it at growing distances of at most `longest`. */
  void Await(MPI_Request& request, std::chrono::nanoseconds longest, const std::string& action);
  /** "all-reduce 12 bytes on rank 0 of 2" */
  std::string Action(const char* call, std::int64_t bytes) const;

  std::shared_ptr<const MpiLibrary> library_;
  int rank_;
  int world_size_;
};

}  // namespace native_ddp
