#pragma once

#include <cstdint>
#include <vector>

#include "topology/memory_kind.h"

namespace native_ddp {

/** A core: its hardware threads that may be used, ascending, and the number of the last-level cache it shares. */
struct Core {
  std::vector<int> cpus;
  int cache;
};

/** The cores whose nearest memory is the same, and the NUMA nodes that are local to them, ascending. */
struct CpuCluster {
  int socket;
  std::vector<Core> cores;
  std::vector<int> nodes;
};

/** A NUMA node; bandwidth in bytes a second from its nearest cores, 0 where the firmware says nothing. */
struct MemoryNode {
  int number;
  std::uint64_t bytes;
  MemoryKind kind;
  std::uint64_t bandwidth;
  std::uint64_t cache_bytes;  // of the memory-side cache in front of it
};

/** Clusters by socket, then by their first CPU; nodes by number. */
struct HostTopology {
  std::vector<CpuCluster> clusters;
  std::vector<MemoryNode> memory;
};

}  // namespace native_ddp
