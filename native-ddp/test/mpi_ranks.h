#pragma once

#include <functional>
#include <string>
#include <vector>

#include "process_group/mpi_calls.h"

namespace native_ddp {

/** A process of a group, with MPI initialised on the only thread. */
struct MpiRank {
  int rank;
  int size;
  MpiCalls& calls;
};

/** The path of a real MPI library with MPICH's ABI: $MPI_LIBRARY or the build's; empty if there is none. */
std::string MpiLibraryPath();

/**
 * Forks `size` processes that form an MPI group, with this process as their PMI server, runs the body in each and
 * returns what each one's gave, by rank; "killed by signal 9", "cannot: <reason>" or the like for one that gave
 * nothing. A group that does not come to its end within two minutes is killed.
 *
 * @param process_mapping what PMI says of who is on which node; empty: all on one
 */
std::vector<std::string> RunRanks(int size, const std::function<std::string(const MpiRank&)>& body,
                                  const std::string& process_mapping = "");

}  // namespace native_ddp
