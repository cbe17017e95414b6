#pragma once

#include <hwloc.h>

#include <vector>

#include "topology/host_topology.h"

namespace native_ddp {

/** Picks what we want to know out of a loaded topology, which must outlive it. */
class HostReader {
 public:
  /** Of the host, only these CPUs and NUMA nodes are reported. */
  HostReader(hwloc_topology_t topology, hwloc_const_bitmap_t cpus, hwloc_const_bitmap_t nodes);

  /** Throws std::runtime_error if no CPU is left. */
  HostTopology Read() const;

 private:
  bool IsLocal(hwloc_obj_t node, hwloc_obj_t home) const;
  MemoryFacts FactsOf(hwloc_obj_t node) const;
  std::vector<CpuCluster> Clusters() const;
  std::vector<MemoryNode> Memory() const;
  std::vector<hwloc_obj_t> Nodes() const;

  hwloc_topology_t topology_;
  hwloc_const_bitmap_t cpus_;
  hwloc_const_bitmap_t nodes_;
};

}  // namespace native_ddp
