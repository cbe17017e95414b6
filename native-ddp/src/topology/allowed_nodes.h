#pragma once

#include <hwloc.h>

#include <istream>

namespace native_ddp {

/**
 * Of the NUMA nodes, keeps those that the kernel lets a process take memory from: it shows them even where hwloc sees
 * no control group. All are kept where it does not say.
 *
 * @param status of the process, as in /proc/self/status
 */
void KeepAllowedNodes(std::istream& status, hwloc_bitmap_t nodes);

}  // namespace native_ddp
