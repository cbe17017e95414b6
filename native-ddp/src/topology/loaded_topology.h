#pragma once

#include <hwloc.h>

#include <memory>
#include <string>

#include "topology/host_topology.h"

namespace native_ddp {

/**
 * hwloc's view of a host. Loaded whole, with the CPUs that this process may not use: what kind a node's memory is and
 * what cores share does not depend on a control group.
 */
class LoadedTopology {
 public:
  /** This machine. Throws std::runtime_error if hwloc cannot read it. */
  static LoadedTopology OfThisHost();

  /** A file that hwloc has written. Throws std::runtime_error with one sentence if it is not such a file. */
  static LoadedTopology OfFile(const std::string& path);

  /** The text of such a file. Throws as OfFile. */
  static LoadedTopology OfText(const std::string& xml);

  /** A made-up machine in hwloc's own notation. Throws std::runtime_error if it is not understood. */
  static LoadedTopology OfSynthetic(const std::string& description);

  /** What the process may use of this machine, or all of a machine that is not this one. */
  HostTopology Usable() const;

  /**
   * What is left of the host with these CPUs and NUMA nodes. Throws std::runtime_error if no CPU is.
   *
   * The sets are hwloc's: an infinite one stands for all.
   */
  HostTopology Restricted(hwloc_const_bitmap_t cpus, hwloc_const_bitmap_t nodes) const;

 private:
  LoadedTopology();
  void Load(const std::string& what);

  std::unique_ptr<hwloc_topology, void (*)(hwloc_topology*)> topology_;
};

/** The version of the hwloc that is linked in. */
std::string HwlocVersion();

}  // namespace native_ddp
