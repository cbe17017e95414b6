#pragma once

#include <string>
#include <utility>
#include <vector>

namespace native_ddp {

/** A weight file, and where its bytes are to be in memory. */
struct WeightSource {
  /** The file, mapped: its pages are where the kernel has read them to, once for the whole host. */
  WeightSource(std::string file) : path(std::move(file)) {}  // NOLINT: a path is a source

  /** A copy on these nodes, with pages from several in turn; shared with the processes that ask for the same one. */
  WeightSource(std::string file, std::vector<int> copy_nodes, bool copy_shared)
      : path(std::move(file)), nodes(std::move(copy_nodes)), shared(copy_shared) {}

  bool copied() const { return !nodes.empty(); }

  std::string path;
  std::vector<int> nodes;
  bool shared = false;
};

}  // namespace native_ddp
