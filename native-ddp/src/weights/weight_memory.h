#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "memory/descriptor.h"
#include "memory/mapping.h"
#include "weights/shared_copy.h"
#include "weights/weight_source.h"

namespace native_ddp {

/**
 * The bytes of a weight file for reading: mapped, or copied to NUMA nodes. A copy has been read to its end, and the
 * kernel asked where its pages are, before anybody sees it. Where the calling thread prefers the memory of a node, a
 * mapped file is read to its end too: its pages are to be elsewhere, and those that threads with that preference read
 * in would not be. Failures are std::runtime_error that names the file, and PlacementRefused if mapping it would do.
 */
class WeightMemory {
 public:
  explicit WeightMemory(WeightSource source);

  const std::string& path() const { return source_.path; }
  const std::byte* data() const { return memory_.data(); }
  std::size_t size() const { return size_; }

  /** The nodes of pages at even distances, one for each; none where the kernel does not tell. */
  std::vector<int> SampledNodes() const;

 private:
  void Open();
  Mapping Map(const Descriptor& file, int protection) const;
  void CopyPrivately();
  void Share();
  void RequireRoom() const;
  void Fill() const;
  void ReadAhead() const;
  template <class Place>
  void ReadFile(const Place& place) const;
  void CheckNodes() const;
  [[noreturn]] void Fail(const std::string& reason) const;
  [[noreturn]] void Refuse(const std::string& reason) const;

  WeightSource source_;
  Descriptor file_;  // only while this is made
  std::size_t size_ = 0;
  Mapping memory_;
  SharedCopy::Holding holding_;
};

}  // namespace native_ddp
