#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace native_ddp {

/**
 * Memory cannot be where it was asked for: kernel or container refuse it, or there is no room. Who does not insist on
 * the place goes on without.
 */
struct PlacementRefused final : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/**
 * Memory of the kernel's NUMA nodes, by its own calls. Failures are PlacementRefused with the nodes and what the
 * kernel says.
 */

/** What the kernel is told of pages: a mode, and nodes as bits. */
struct MemoryPolicy {
  int mode;
  std::vector<unsigned long> nodes;
};

/** To take pages from one node and no other, or from several in turn. Throws std::invalid_argument. */
MemoryPolicy PolicyFor(const std::vector<int>& nodes);

/**
 * Pages of the range that are touched from now on come from these nodes: all from one, or from several in turn. A page
 * that is there already is a failure. The kernel ends a process rather than take a page from another node than the one.
 */
void BindMemory(void* address, std::size_t bytes, const std::vector<int>& nodes);

/** "NUMA node 3", "NUMA nodes 0, 1" */
std::string NodesText(const std::vector<int>& nodes);

/** The node of the page at an address, which is read in if need be. */
int NodeOf(const void* address);

/** Bytes that the nodes together can still hand out: free ones and those of files that can be read again. */
std::uint64_t AvailableBytes(const std::vector<int>& nodes);

/**
 * The calling thread, and threads that it starts from now on, take memory from this node as long as it has some, then
 * from others.
 */
void PreferMemoryOf(int node);

/** Whether a node is preferred for the calling thread; not, where the kernel does not tell. */
bool PrefersMemory();

/**
 * While it lives, the calling thread takes memory as the kernel likes, nearest first. The page cache of files that it
 * reads then does not go where its own memory is preferred to be.
 */
class WithoutPreference {
 public:
  WithoutPreference();
  ~WithoutPreference();
  WithoutPreference(const WithoutPreference&) = delete;
  WithoutPreference& operator=(const WithoutPreference&) = delete;

 private:
  int mode_ = 0;
  std::vector<unsigned long> nodes_;
};

}  // namespace native_ddp
