#include "topology/host_reader.h"

#include <hwloc/memattrs.h>

#include <algorithm>
#include <map>
#include <stdexcept>

namespace native_ddp {
namespace {

constexpr std::uint64_t kMega = 1'000'000;  // the kernel counts bandwidth in MB/s, and hwloc passes that on

/** What a node is attached to: the smallest group of cores that it is near to. */
hwloc_obj_t AttachedTo(hwloc_obj_t node) {
  hwloc_obj_t object = node->parent;
  while (hwloc_obj_type_is_memory(object->type)) object = object->parent;
  return object;
}

/** The smallest group around a CPU that has memory of its own. */
hwloc_obj_t HomeOf(hwloc_obj_t cpu) {
  hwloc_obj_t object = cpu;
  while (object->memory_arity == 0 && object->parent != nullptr) object = object->parent;
  return object;
}

hwloc_obj_t Ancestor(hwloc_topology_t topology, hwloc_obj_t object, hwloc_obj_type_t type) {
  return object->type == type ? object : hwloc_get_ancestor_obj_by_type(topology, type, object);
}

int SocketOf(hwloc_topology_t topology, hwloc_obj_t cpu) {
  const hwloc_obj_t package = Ancestor(topology, cpu, HWLOC_OBJ_PACKAGE);
  if (package == nullptr) return 0;
  return static_cast<int>(package->os_index == HWLOC_UNKNOWN_INDEX ? package->logical_index : package->os_index);
}

/** The outermost cache that a core shares with others of its cluster; where there is none, the cluster stands for it.
 */
hwloc_obj_t SharedCache(hwloc_obj_t core, hwloc_obj_t home) {
  hwloc_obj_t shared = home;
  for (hwloc_obj_t object = core->parent; object != nullptr && object != home; object = object->parent) {
    const bool wider = !hwloc_bitmap_isincluded(object->cpuset, core->cpuset);
    if (hwloc_obj_type_is_dcache(object->type) && wider) shared = object;
  }
  return shared;
}

int FirstCpu(const CpuCluster& cluster) { return cluster.cores.front().cpus.front(); }

}  // namespace

HostReader::HostReader(hwloc_topology_t topology, hwloc_const_bitmap_t cpus, hwloc_const_bitmap_t nodes)
    : topology_(topology), cpus_(cpus), nodes_(nodes) {}

HostTopology HostReader::Read() const {
  HostTopology host{Clusters(), Memory()};
  if (host.clusters.empty()) throw std::runtime_error("Cannot find a CPU that this process may use");
  return host;
}

std::vector<hwloc_obj_t> HostReader::Nodes() const {
  std::vector<hwloc_obj_t> nodes;
  for (hwloc_obj_t node = nullptr;
       (node = hwloc_get_next_obj_by_type(topology_, HWLOC_OBJ_NUMANODE, node)) != nullptr;) {
    nodes.push_back(node);
  }
  std::sort(nodes.begin(), nodes.end(), [](hwloc_obj_t a, hwloc_obj_t b) { return a->os_index < b->os_index; });
  return nodes;
}

/** Attached to the cores or to more of their socket; what hangs on several sockets together is local to none. */
bool HostReader::IsLocal(hwloc_obj_t node, hwloc_obj_t home) const {
  const hwloc_obj_t attached = AttachedTo(node);
  if (attached == home) return true;
  if (!hwloc_bitmap_isincluded(home->cpuset, attached->cpuset)) return false;
  const hwloc_obj_t package = Ancestor(topology_, home, HWLOC_OBJ_PACKAGE);
  return package != nullptr && hwloc_bitmap_isincluded(attached->cpuset, package->cpuset);
}

std::vector<CpuCluster> HostReader::Clusters() const {
  std::map<hwloc_obj_t, CpuCluster> clusters;       // by home
  std::map<hwloc_obj_t, std::vector<int>> threads;  // of each core, in the order of the map below
  std::vector<hwloc_obj_t> cores;
  for (hwloc_obj_t cpu = nullptr; (cpu = hwloc_get_next_obj_by_type(topology_, HWLOC_OBJ_PU, cpu)) != nullptr;) {
    if (!hwloc_bitmap_isset(cpus_, cpu->os_index)) continue;
    hwloc_obj_t core = Ancestor(topology_, cpu, HWLOC_OBJ_CORE);
    if (core == nullptr) core = cpu;  // some virtual machines tell of no cores
    if (threads[core].empty()) cores.push_back(core);
    threads[core].push_back(static_cast<int>(cpu->os_index));
  }
  std::map<hwloc_obj_t, int> caches;
  for (const hwloc_obj_t core : cores) {
    const hwloc_obj_t home = HomeOf(core);
    CpuCluster& cluster = clusters[home];
    cluster.socket = SocketOf(topology_, core);
    const int cache = caches.emplace(SharedCache(core, home), static_cast<int>(caches.size())).first->second;
    std::vector<int>& cpus = threads[core];
    std::sort(cpus.begin(), cpus.end());
    cluster.cores.push_back({cpus, cache});
  }
  std::vector<CpuCluster> result;
  for (auto& [home, cluster] : clusters) {
    std::sort(cluster.cores.begin(), cluster.cores.end(),
              [](const Core& a, const Core& b) { return a.cpus.front() < b.cpus.front(); });
    for (const hwloc_obj_t node : Nodes()) {
      if (hwloc_bitmap_isset(nodes_, node->os_index) && IsLocal(node, home)) {
        cluster.nodes.push_back(static_cast<int>(node->os_index));
      }
    }
    result.push_back(std::move(cluster));
  }
  std::sort(result.begin(), result.end(), [](const CpuCluster& a, const CpuCluster& b) {
    return a.socket != b.socket ? a.socket < b.socket : FirstCpu(a) < FirstCpu(b);
  });
  return result;
}

MemoryFacts HostReader::FactsOf(hwloc_obj_t node) const {
  unsigned count = 16;
  hwloc_location initiators[16];
  hwloc_uint64_t values[16];
  std::uint64_t bandwidth = 0;
  if (hwloc_memattr_get_initiators(topology_, HWLOC_MEMATTR_ID_BANDWIDTH, node, 0, &count, initiators, values) == 0) {
    for (unsigned i = 0; i < std::min(count, 16U); ++i) {
      bandwidth = std::max<std::uint64_t>(bandwidth, values[i] * kMega);
    }
  }
  const int cores = hwloc_get_nbobjs_inside_cpuset_by_type(topology_, AttachedTo(node)->cpuset, HWLOC_OBJ_CORE);
  return {static_cast<int>(node->os_index), node->subtype == nullptr ? "" : node->subtype,
          node->attr->numanode.local_memory, bandwidth, cores};
}

std::vector<MemoryNode> HostReader::Memory() const {
  std::vector<MemoryNode> memory;
  const std::vector<hwloc_obj_t> nodes = Nodes();
  for (const hwloc_obj_t node : nodes) {
    if (!hwloc_bitmap_isset(nodes_, node->os_index)) continue;
    std::vector<MemoryFacts> neighbours;
    for (const hwloc_obj_t other : nodes) {
      if (hwloc_bitmap_intersects(AttachedTo(other)->cpuset, AttachedTo(node)->cpuset)) {
        neighbours.push_back(FactsOf(other));
      }
    }
    const MemoryFacts facts = FactsOf(node);
    std::uint64_t cache_bytes = 0;
    for (hwloc_obj_t above = node->parent; hwloc_obj_type_is_memory(above->type); above = above->parent) {
      if (above->type == HWLOC_OBJ_MEMCACHE) cache_bytes += above->attr->cache.size;
    }
    memory.push_back({facts.number, facts.bytes, KindOf(facts, neighbours), facts.bandwidth, cache_bytes});
  }
  return memory;
}

}  // namespace native_ddp
