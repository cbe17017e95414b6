#pragma once

#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace native_ddp {

/** A file in the directory for temporary files that goes with the object. */
class TemporaryFile {
 public:
  TemporaryFile() {
    const int descriptor = mkstemp(path_.data());
    if (descriptor < 0) throw std::runtime_error("Cannot create a temporary file " + path_);
    close(descriptor);
  }
  ~TemporaryFile() { unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_ = testing_directory() + "/native-ddp-XXXXXX";

  static std::string testing_directory() {
    const char* directory = std::getenv("TMPDIR");
    return directory == nullptr ? "/tmp" : directory;
  }
};

}  // namespace native_ddp
