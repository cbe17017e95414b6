#include <cstring>

// Libraries that tell what they are, and nothing else: enough to be refused. The build says which one this is.
extern "C" {
#ifdef OPEN_MPI
__attribute__((visibility("default"))) int ompi_mpi_comm_world;
#endif

__attribute__((visibility("default"))) int MPI_Get_library_version(char* version, int* length) {
  std::strcpy(version, LIBRARY_VERSION);
  *length = static_cast<int>(std::strlen(version));
  return 0;
}

__attribute__((visibility("default"))) int MPI_Get_version(int* version, int* subversion) {
  *version = STANDARD / 10;
  *subversion = STANDARD % 10;
  return 0;
}

#ifdef ABI_VERSION
__attribute__((visibility("default"))) int MPI_Abi_get_version(int* major, int* minor) {
  *major = ABI_VERSION;
  *minor = 0;
  return 0;
}
#endif
}
