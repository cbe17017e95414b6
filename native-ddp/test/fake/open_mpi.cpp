#include <cstring>

// What tells Open MPI from the MPICH ABI, and nothing else.
extern "C" {
__attribute__((visibility("default"))) int ompi_mpi_comm_world;

__attribute__((visibility("default"))) int MPI_Get_library_version(char* version, int* length) {
  const char* text = "Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4, May 26, 2022";
  std::strcpy(version, text);
  *length = static_cast<int>(std::strlen(text));
  return 0;
}
}
