#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace native_ddp {

struct TensorToWrite {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::vector<char> bytes;
};

/** Writes a safetensors file whose data starts at a multiple of `alignment`. */
void WriteSafetensors(const std::string& path, const std::map<std::string, std::string>& metadata,
                      const std::vector<TensorToWrite>& tensors, std::size_t alignment = 4096);

/** A whole file by its bytes. */
void WriteBytes(const std::string& path, const std::string& bytes);
std::string ReadBytes(const std::string& path);

}  // namespace native_ddp
