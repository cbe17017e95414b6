#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace native_ddp {

enum class MemoryKind { kDram, kHbm };

/**
 * What a NUMA node's kind is decided by.
 *
 * number: as the kernel counts, which numbers nodes with CPUs of their own first
 * tier: as hwloc 2.10 and later names it; empty if it does not
 * bandwidth: bytes a second as the firmware says; 0 if it does not
 * cores: that it is local to
 */
struct MemoryFacts {
  int number;
  std::string tier;
  std::uint64_t bytes;
  std::uint64_t bandwidth;
  int cores;
};

/**
 * The kind of `node`, which is local to the same cores as `neighbours`; it may be among them.
 *
 *  1. A tier that is named decides.
 *  2. A node without CPUs of its own is HBM if its bandwidth is at least 1.5 times that of the node with them.
 *  3. Any node is HBM if its bandwidth is at least 20 GB/s for each of its cores and reads all of it in a tenth of a
 *     second: HBM stacks hold 25 to 40 times less than they move in a second, where DRAM needs a second or so.
 *  4. Where the firmware tells no bandwidth, a node without CPUs of its own is HBM if it is smaller than that with
 * them.
 */
MemoryKind KindOf(const MemoryFacts& node, const std::vector<MemoryFacts>& neighbours);

}  // namespace native_ddp
