#include "topology/loaded_topology.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <vector>

#include "message.h"
#include "process/process_control.h"
#include "topology/allowed_nodes.h"
#include "topology/bitmap.h"
#include "topology/host_reader.h"

static_assert(HWLOC_API_VERSION >= 0x00020500, "hwloc 2.7 or later is needed, whose interface is that of 2.5");

namespace native_ddp {
namespace {

constexpr int kMostBytes = 64 << 20;  // of a topology file: those of the largest machines have a few

const char* const kHideErrors = "HWLOC_HIDE_ERRORS";

/** Some of hwloc's own put another machine, or another's files, in the place of this host. */
void RemoveInheritedVariables() {
  std::vector<std::string> names;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    names.emplace_back(*variable, std::strcspn(*variable, "="));
  }
  for (const std::string& name : names) {
    if (name.rfind("HWLOC_", 0) == 0 && name != kHideErrors) unsetenv(name.c_str());
  }
}

}  // namespace

LoadedTopology::LoadedTopology()
    : topology_(nullptr, [](hwloc_topology* topology) { hwloc_topology_destroy(topology); }) {
  RemoveInheritedVariables();
  // Plugins of whatever hwloc a host has installed: this program is complete in itself.
  setenv("HWLOC_PLUGINS_PATH", "/nonexistent", 1);
  hwloc_topology_t topology = nullptr;
  if (hwloc_topology_init(&topology) != 0) throw std::runtime_error("Cannot start hwloc");
  topology_.reset(topology);
}

void LoadedTopology::Load(const std::string& what) {
  hwloc_topology_set_flags(topology_.get(), HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
  hwloc_topology_set_type_filter(topology_.get(), HWLOC_OBJ_MEMCACHE, HWLOC_TYPE_FILTER_KEEP_ALL);
  // It runs on each CPU in turn to ask for names, which takes long; the kernel has told all that is needed.
  hwloc_topology_set_components(topology_.get(), HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, "x86");
  if (hwloc_topology_load(topology_.get()) != 0) {
    throw std::runtime_error(
        Message("Cannot read ", what, ": it is no topology that hwloc ", HwlocVersion(), " knows"));
  }
}

LoadedTopology LoadedTopology::OfThisHost() {
  LoadedTopology host;
  host.Load("the topology of this host");
  return host;
}

LoadedTopology LoadedTopology::OfFile(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text;
  char block[1 << 16];
  while (file.read(block, sizeof block) || file.gcount() > 0) {
    text.append(block, static_cast<std::size_t>(file.gcount()));
    if (text.size() > kMostBytes)
      throw std::runtime_error(Message("Cannot read ", path, ": it is too large for a topology"));
  }
  if (errno != 0) throw std::runtime_error(Message("Cannot read ", path, ": ", std::strerror(errno)));
  try {
    return OfText(text);
  } catch (const std::runtime_error& e) {
    throw std::runtime_error(Message("Cannot read ", path, ": it is no topology in XML as hwloc (lstopo) writes it, ",
                                     text.size(), " bytes"));
  }
}

LoadedTopology LoadedTopology::OfText(const std::string& xml) {
  setenv(kHideErrors, "2", 1);  // one sentence of ours instead of its several
  LoadedTopology host;
  if (hwloc_topology_set_xmlbuffer(host.topology_.get(), xml.c_str(), static_cast<int>(xml.size() + 1)) != 0) {
    throw std::runtime_error("Cannot read the topology: it is not XML as hwloc writes it");
  }
  host.Load("the topology");
  return host;
}

LoadedTopology LoadedTopology::OfSynthetic(const std::string& description) {
  LoadedTopology host;
  if (hwloc_topology_set_synthetic(host.topology_.get(), description.c_str()) != 0) {
    throw std::runtime_error(Message("Invalid topology: ", description, " (not hwloc's notation)"));
  }
  host.Load("the topology " + description);
  return host;
}

HostTopology LoadedTopology::Usable() const {
  Bitmap cpus;
  Bitmap nodes;
  hwloc_bitmap_fill(cpus.get());
  hwloc_bitmap_fill(nodes.get());
  if (hwloc_topology_is_thissystem(topology_.get())) {
    hwloc_bitmap_zero(cpus.get());
    for (const int cpu : AllowedCpus()) hwloc_bitmap_set(cpus.get(), static_cast<unsigned>(cpu));
    hwloc_bitmap_and(cpus.get(), cpus.get(), hwloc_topology_get_allowed_cpuset(topology_.get()));
    hwloc_bitmap_copy(nodes.get(), hwloc_topology_get_allowed_nodeset(topology_.get()));
    std::ifstream status("/proc/self/status");
    KeepAllowedNodes(status, nodes.get());
  }
  return Restricted(cpus.get(), nodes.get());
}

HostTopology LoadedTopology::Restricted(hwloc_const_bitmap_t cpus, hwloc_const_bitmap_t nodes) const {
  return HostReader(topology_.get(), cpus, nodes).Read();
}

std::string HwlocVersion() { return HWLOC_VERSION; }

}  // namespace native_ddp
