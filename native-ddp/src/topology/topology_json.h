#pragma once

#include <string>

#include "topology/host_topology.h"

namespace native_ddp {

/** One line of JSON; the Java class TopologyJson shows its form and reads it. */
std::string ToJson(const HostTopology& host, const std::string& hwloc_version);

}  // namespace native_ddp
