#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "process_group/mpi_library.h"

// mpi-probe LIBRARY: one line of JSON about an MPI library. In a process of its own, because what is loaded to be
// looked at may take over signals or end the process.
//
//   {"library": PATH, "version": "MPICH Version: 5.0.2", "standard": "5.0"}
//   {"library": PATH, "problem": "Cannot use the MPI library …"}
//
// Exit codes: 0 usable, 3 not, with the reason in "problem"; 2 wrong arguments.

namespace native_ddp {
namespace {

int Probe(const std::string& path) {
  nlohmann::ordered_json line{{"library", path}};
  int code = 0;
  try {
    const MpiLibrary library(path);
    line["version"] = library.version();
    line["standard"] = std::to_string(library.standard() / 10) + "." + std::to_string(library.standard() % 10);
  } catch (const std::invalid_argument& error) {
    line["problem"] = error.what();
    code = 3;
  }
  std::cout << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
  return code;
}

}  // namespace
}  // namespace native_ddp

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "Invalid arguments: one path of an MPI library is needed\n";
    return 2;
  }
  const int code = native_ddp::Probe(arguments[1]);
  _exit(code);  // without what the library wants to do at the end: it was not initialised
}
