#pragma once

#include <string>

namespace native_ddp {

/**
 * Connects this process to a PMI-1 server that listens on a Unix socket, and sets the environment from which MPI_Init
 * takes the connection. Variables of other launchers that this process may have inherited are removed, as MPI would
 * prefer or reject them. Must be called before MPI_Init; the connection stays open for the life of the process. Throws
 * std::invalid_argument for a path longer than 107 bytes, std::runtime_error if nobody listens there.
 */
void ConnectPmi(const std::string& socket_path, int rank, int world_size);

}  // namespace native_ddp
