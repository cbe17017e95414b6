#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "weights/weight_memory.h"

namespace native_ddp {

/** A tensor as it lies in memory. */
struct StoredTensor {
  std::string dtype;  // as the header spells it: F32, BF16, …
  std::vector<std::int64_t> shape;
  const std::byte* data;
  std::size_t bytes;
};

/**
 * A safetensors file in memory, for reading. Tensors point into it and live as long as this object. Opening throws
 * std::runtime_error that names the file, and the tensor where there is one, with what was expected and what was found.
 */
class SafetensorsFile {
 public:
  explicit SafetensorsFile(WeightSource source);

  const std::string& path() const { return memory_.path(); }
  const WeightMemory& memory() const { return memory_; }
  /** Offset in the file of the first tensor's first byte. */
  std::size_t data_offset() const { return data_offset_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /** Throws std::runtime_error if there is no tensor of this name. */
  const StoredTensor& tensor(const std::string& name) const;

 private:
  void ReadHeader();
  [[noreturn]] void Fail(const std::string& reason) const;

  WeightMemory memory_;
  std::size_t data_offset_ = 0;
  std::map<std::string, std::string> metadata_;
  std::map<std::string, StoredTensor> tensors_;
};

/** "[2, 3]" */
std::string ShapeText(const std::vector<std::int64_t>& shape);

}  // namespace native_ddp
