#include "process_group/mpi_library.h"

#include <dlfcn.h>

#include <cctype>
#include <stdexcept>

#include "message.h"

namespace native_ddp {
namespace {

/** The first line, with every run of blanks as one. */
std::string FirstLine(const std::string& text) {
  std::string line;
  for (const char c : text.substr(0, text.find('\n'))) {
    const bool blank = std::isspace(static_cast<unsigned char>(c)) != 0;
    if (!blank) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  return line.substr(0, line.find_last_not_of(' ') + 1);
}

/** What dlopen says of a file often begins with its path. */
std::string WithoutPath(const std::string& text, const std::string& path) {
  const std::string start = path + ": ";
  return text.rfind(start, 0) == 0 ? text.substr(start.size()) : text;
}

constexpr int kOldestStandard = 31;

}  // namespace

MpiLibrary::MpiLibrary(const std::string& path) : path_(path) {
  handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle_ == nullptr) {
    throw std::invalid_argument(Message("Cannot load the MPI library ", path, ": ", WithoutPath(dlerror(), path)));
  }
  Find(Get_library_version, "MPI_Get_library_version");
  char version[MPI_MAX_LIBRARY_VERSION_STRING] = {};
  int length = 0;
  Get_library_version(version, &length);
  version_ = FirstLine(version);
  CheckAbi();
  CheckStandard();
  Find(Init_thread, "MPI_Init_thread");
  Find(Finalize, "MPI_Finalize");
  Find(Comm_rank, "MPI_Comm_rank");
  Find(Comm_size, "MPI_Comm_size");
  Find(Comm_set_errhandler, "MPI_Comm_set_errhandler");
  Find(Error_string, "MPI_Error_string");
  Find(Type_contiguous, "MPI_Type_contiguous");
  Find(Type_commit, "MPI_Type_commit");
  Find(Op_create, "MPI_Op_create");
  Find(Iallreduce, "MPI_Iallreduce");
  Find(Bcast, "MPI_Bcast");
  Find(Allgather, "MPI_Allgather");
  Find(Ibarrier, "MPI_Ibarrier");
  Find(Test, "MPI_Test");
}

void MpiLibrary::CheckAbi() const {
  const auto refuse = [this](const std::string& its) {
    throw std::invalid_argument(Message("Cannot use the MPI library ", path_, ": it is ",
                                        version_.substr(0, version_.find(',')), ", which has ", its,
                                        " ABI (MPICH's is needed: MPICH, Intel MPI or MVAPICH2)"));
  };
  // Its predefined handles are addresses of its own, where MPICH's ABI has numbers.
  if (dlsym(handle_, "ompi_mpi_comm_world") != nullptr || version_.find("Open MPI") != std::string::npos) {
    refuse("another");
  }
  // MPICH and Intel MPI bring a second library, whose handles are other numbers.
  using GetAbiVersion = int (*)(int* major, int* minor);
  const auto get_abi_version = reinterpret_cast<GetAbiVersion>(dlsym(handle_, "MPI_Abi_get_version"));
  int major = -1;
  int minor = -1;
  if (get_abi_version != nullptr && get_abi_version(&major, &minor) == MPI_SUCCESS && major >= 0) {
    refuse("the standard's");
  }
}

void MpiLibrary::CheckStandard() {
  decltype(&::MPI_Get_version) get_version = nullptr;
  Find(get_version, "MPI_Get_version");
  int minor = 0;
  get_version(&standard_, &minor);
  standard_ = standard_ * 10 + minor;
  if (standard_ < kOldestStandard) {
    throw std::invalid_argument(Message("Cannot use the MPI library ", path_, ": ", version_, " implements MPI ",
                                        standard_ / 10, ".", standard_ % 10, " (3.1 is needed, as of MPICH 3.2)"));
  }
}

template <class Function>
void MpiLibrary::Find(Function& function, const char* name) {
  function = reinterpret_cast<Function>(dlsym(handle_, name));
  if (function == nullptr) {
    throw std::invalid_argument(Message("Cannot use the MPI library ", path_, ": it has no function ", name));
  }
}

void MpiLibrary::Check(int code, const std::string& action) const {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  Error_string(code, text, &length);
  throw std::runtime_error(Message("Cannot ", action, ": ", FirstLine(text), " (MPI error ", code, ")"));
}

}  // namespace native_ddp
