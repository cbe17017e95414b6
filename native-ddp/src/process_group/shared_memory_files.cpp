#include "process_group/shared_memory_files.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "message.h"

namespace native_ddp {
namespace {

const std::string kDirectory = "/dev/shm/";
const std::string kDeleted = " (deleted)";

bool EndsWith(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

std::set<std::string> MappedSharedMemoryFiles() {
  std::set<std::string> files;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const std::size_t path = line.find(kDirectory);
    if (path != std::string::npos && !EndsWith(line, kDeleted)) files.insert(line.substr(path));
  }
  return files;
}

void UnlinkSharedMemoryFiles(const std::set<std::string>& before) {
  for (const std::string& file : MappedSharedMemoryFiles()) {
    const bool of_mpich = file.rfind(kDirectory + "mpich", 0) == 0;
    if (before.count(file) != 0 && !of_mpich) continue;
    if (unlink(file.c_str()) != 0 && errno != ENOENT) {
      throw std::runtime_error(Message("Cannot remove the shared memory file ", file, ": ", std::strerror(errno)));
    }
  }
}

}  // namespace native_ddp
