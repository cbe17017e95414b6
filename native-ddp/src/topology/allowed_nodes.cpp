#include "topology/allowed_nodes.h"

#include <string>

#include "topology/bitmap.h"

namespace native_ddp {

void KeepAllowedNodes(std::istream& status, hwloc_bitmap_t nodes) {
  const std::string name = "Mems_allowed_list:";
  for (std::string line; std::getline(status, line);) {
    if (line.compare(0, name.size(), name) == 0) {
      const std::size_t list = line.find_first_not_of(" \t", name.size());
      const Bitmap allowed;
      if (list != std::string::npos && hwloc_bitmap_list_sscanf(allowed.get(), line.c_str() + list) == 0) {
        hwloc_bitmap_and(nodes, nodes, allowed.get());
      }
    }
  }
}

}  // namespace native_ddp
