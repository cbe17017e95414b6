#include "weights/safetensors_file.h"

#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "message.h"

namespace native_ddp {
namespace {

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kLongestHeader = 100 << 20;

std::size_t ElementBytes(const std::string& dtype) {
  static const std::map<std::string, std::size_t> kBytes = {
      {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"I16", 2}, {"U16", 2}, {"F16", 2}, {"BF16", 2},
      {"I32", 4},  {"U32", 4}, {"F32", 4}, {"I64", 8}, {"U64", 8}, {"F64", 8}};
  const auto found = kBytes.find(dtype);
  return found == kBytes.end() ? 0 : found->second;
}

}  // namespace

std::string ShapeText(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const std::int64_t size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

SafetensorsFile::SafetensorsFile(WeightSource source) : memory_(std::move(source)) { ReadHeader(); }

const StoredTensor& SafetensorsFile::tensor(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    Fail(Message("tensor ", name, " is missing (there are ", tensors_.size(), " others)"));
  }
  return found->second;
}

void SafetensorsFile::Fail(const std::string& reason) const {
  throw std::runtime_error(Message("Cannot read the weight file ", path(), ": ", reason));
}

void SafetensorsFile::ReadHeader() {
  const std::byte* file = memory_.data();
  const std::size_t file_bytes = memory_.size();
  if (file_bytes < kLengthBytes) Fail(Message("expected a safetensors header, found ", file_bytes, " bytes"));
  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, file, kLengthBytes);
  if (header_bytes > kLongestHeader || header_bytes > file_bytes - kLengthBytes) {
    Fail(Message("expected a safetensors header, found one of ", header_bytes, " bytes in a file of ", file_bytes));
  }
  data_offset_ = kLengthBytes + header_bytes;
  const std::size_t data_bytes = file_bytes - data_offset_;
  const char* text = reinterpret_cast<const char*>(file) + kLengthBytes;
  try {
    const nlohmann::json header = nlohmann::json::parse(text, text + header_bytes);
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") {
        metadata_ = entry.get<std::map<std::string, std::string>>();
        continue;
      }
      StoredTensor tensor{entry.at("dtype"), entry.at("shape"), nullptr, 0};
      const auto [begin, end] = entry.at("data_offsets").get<std::pair<std::uint64_t, std::uint64_t>>();
      std::uint64_t expected = ElementBytes(tensor.dtype);
      if (expected == 0) Fail(Message("tensor ", name, " has the unknown dtype ", tensor.dtype));
      for (const std::int64_t size : tensor.shape) {
        if (size < 0 || __builtin_mul_overflow(expected, static_cast<std::uint64_t>(size), &expected)) {
          Fail(Message("tensor ", name, " has the impossible shape ", ShapeText(tensor.shape)));
        }
      }
      if (begin > end || end - begin != expected) {
        Fail(Message("tensor ", name, ": expected ", expected, " bytes for ", tensor.dtype, " ",
                     ShapeText(tensor.shape), ", found the range ", begin, " to ", end));
      }
      if (end > data_bytes) {
        Fail(Message("the file is cut short: tensor ", name, " ends at byte ", data_offset_ + end, ", the file at ",
                     file_bytes));
      }
      tensor.data = file + data_offset_ + begin;
      tensor.bytes = expected;
      tensors_.emplace(name, std::move(tensor));
    }
  } catch (const nlohmann::json::exception& error) {
    Fail(Message("its header is not a safetensors header: ", error.what()));
  }
}

}  // namespace native_ddp
