#pragma once

#include <set>
#include <string>

namespace native_ddp {

/** Paths of the files in /dev/shm that this process has mapped and that still have a name. */
std::set<std::string> MappedSharedMemoryFiles();

/**
 * Removes the names of those files of /dev/shm that are mapped now and are either not in `before` or MPICH's. Once
 * every rank of the host has mapped them nobody needs the names, and a killed rank leaves nothing behind. Names that
 * another rank has removed already do not count as errors; other failures throw std::runtime_error.
 */
void UnlinkSharedMemoryFiles(const std::set<std::string>& before);

}  // namespace native_ddp
