#pragma once

#include <mpi.h>

#include <string>

namespace native_ddp {

/**
 * The functions of an MPI library with the MPICH ABI, found by dlopen: nothing is linked, so that each cluster can
 * bring its own (MPICH, Intel MPI, MVAPICH2). The library stays loaded for the life of the process.
 */
class MpiLibrary {
 public:
  /**
   * Throws std::invalid_argument naming the path if it cannot be loaded, lacks a function, is older than MPI 3.1, or
   * has another ABI, as Open MPI does. Calls nothing that needs MPI_Init.
   */
  explicit MpiLibrary(const std::string& path);

  const std::string& path() const { return path_; }
  /** What the library calls itself, on one line. */
  const std::string& version() const { return version_; }
  /** The MPI standard that it implements: 31 for 3.1. */
  int standard() const { return standard_; }

  /** Throws std::runtime_error "Cannot <action>: <what MPI says>" unless the code is MPI_SUCCESS. */
  void Check(int code, const std::string& action) const;

  decltype(&::MPI_Init_thread) Init_thread = nullptr;
  decltype(&::MPI_Finalize) Finalize = nullptr;
  decltype(&::MPI_Comm_rank) Comm_rank = nullptr;
  decltype(&::MPI_Comm_size) Comm_size = nullptr;
  decltype(&::MPI_Comm_set_errhandler) Comm_set_errhandler = nullptr;
  decltype(&::MPI_Error_string) Error_string = nullptr;
  decltype(&::MPI_Get_library_version) Get_library_version = nullptr;
  decltype(&::MPI_Type_contiguous) Type_contiguous = nullptr;
  decltype(&::MPI_Type_commit) Type_commit = nullptr;
  decltype(&::MPI_Op_create) Op_create = nullptr;
  decltype(&::MPI_Iallreduce) Iallreduce = nullptr;
  decltype(&::MPI_Bcast) Bcast = nullptr;
  decltype(&::MPI_Allgather) Allgather = nullptr;
  decltype(&::MPI_Ibarrier) Ibarrier = nullptr;
  decltype(&::MPI_Test) Test = nullptr;

 private:
  void CheckAbi() const;
  void CheckStandard();
  template <class Function>
  void Find(Function& function, const char* name);

  std::string path_;
  void* handle_ = nullptr;
  std::string version_;
  int standard_ = 0;
};

}  // namespace native_ddp
