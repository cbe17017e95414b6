#include "process_group/pmi_client.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "message.h"

extern char** environ;

namespace native_ddp {
namespace {

/** Set by launchers: PMI-1 and PMI-2 itself, PMIx, Slurm, Hydra, Open MPI, and Intel MPI's way to another PMI. */
bool BelongsToALauncher(const std::string& name) {
  for (const char* prefix : {"PMI_", "PMI2_", "PMIX_", "PRTE_", "SLURM_", "HYDI_", "HYDRA_", "OMPI_"}) {
    // PMI_HOSTNAME (which address MPICH publishes) and PMI_DEBUG are settings of the user.
    if (name.rfind(prefix, 0) == 0) return name != "PMI_HOSTNAME" && name != "PMI_DEBUG";
  }
  return name == "I_MPI_PMI_LIBRARY" || name == "I_MPI_PMI";
}

void RemoveInheritedVariables() {
  std::vector<std::string> names;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    names.emplace_back(*variable, strcspn(*variable, "="));
  }
  for (const std::string& name : names) {
    if (BelongsToALauncher(name)) unsetenv(name.c_str());
  }
}

int Connect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    throw std::runtime_error(Message("Cannot connect to the PMI socket ", path, ": its path has ", path.size(),
                                     " bytes, at most ", sizeof address.sun_path - 1, " are possible"));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) throw std::runtime_error(Message("Cannot create a socket: ", std::strerror(errno)));
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    close(descriptor);
    throw std::runtime_error(Message("Cannot connect to the PMI socket ", path, ": ", std::strerror(error)));
  }
  return descriptor;
}

}  // namespace

void ConnectPmi(const std::string& socket_path, int rank, int world_size) {
  const int descriptor = Connect(socket_path);
  RemoveInheritedVariables();
  setenv("PMI_FD", std::to_string(descriptor).c_str(), 1);
  setenv("PMI_RANK", std::to_string(rank).c_str(), 1);
  setenv("PMI_SIZE", std::to_string(world_size).c_str(), 1);
  setenv("MPIR_CVAR_PMI_VERSION", "1", 1);
}

}  // namespace native_ddp
