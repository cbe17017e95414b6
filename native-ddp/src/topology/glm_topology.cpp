#include <cstring>
#include <exception>
#include <iostream>

#include "topology/loaded_topology.h"
#include "topology/topology_json.h"

namespace {

constexpr int kBadArguments = 2;

int Usage(std::ostream& out) {
  out << "Usage: glm-topology [--topology FILE.xml]\n"
         "Prints the CPU clusters and NUMA nodes that this process may use, or those that a file of hwloc describes, "
         "as "
         "JSON.\n";
  return &out == &std::cout ? 0 : kBadArguments;
}

}  // namespace

int main(int count, char** arguments) {
  using native_ddp::LoadedTopology;
  try {
    if (count == 2 && std::strcmp(arguments[1], "--help") == 0) return Usage(std::cout);
    const bool of_file = count == 3 && std::strcmp(arguments[1], "--topology") == 0;
    if (count != 1 && !of_file) return Usage(std::cerr);
    const LoadedTopology host = of_file ? LoadedTopology::OfFile(arguments[2]) : LoadedTopology::OfThisHost();
    std::cout << native_ddp::ToJson(host.Usable(), native_ddp::HwlocVersion()) << std::endl;
    return std::cout ? 0 : 1;
  } catch (const std::exception& e) {
    std::cerr << e.what() << std::endl;
    return 1;
  }
}
