#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace native_ddp {

/** Hears how a weight file is read, on the thread that reads it. */
class WeightListener {
 public:
  virtual ~WeightListener() = default;

  /** So many more bytes of the file are in memory. */
  virtual void Read(std::size_t bytes) = 0;

  /** Another process makes the copy that this one is to share, which waits for it from now on, or no longer. */
  virtual void Waiting(bool waits) = 0;
};

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
  WeightListener* listener = nullptr;  // only while the file is read; may be null
};

}  // namespace native_ddp
