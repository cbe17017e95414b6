#include "topology/topology_json.h"

#include <nlohmann/json.hpp>

namespace native_ddp {

std::string ToJson(const HostTopology& host, const std::string& hwloc_version) {
  using Json = nlohmann::ordered_json;
  Json clusters = Json::array();
  for (const CpuCluster& cluster : host.clusters) {
    Json cores = Json::array();
    for (const Core& core : cluster.cores) cores.push_back({{"cpus", core.cpus}, {"cache", core.cache}});
    clusters.push_back({{"socket", cluster.socket}, {"nodes", cluster.nodes}, {"cores", cores}});
  }
  Json memory = Json::array();
  for (const MemoryNode& node : host.memory) {
    memory.push_back({{"node", node.number},
                      {"bytes", node.bytes},
                      {"kind", node.kind == MemoryKind::kHbm ? "hbm" : "dram"},
                      {"bandwidth", node.bandwidth},
                      {"cache_bytes", node.cache_bytes}});
  }
  return Json{{"hwloc", hwloc_version}, {"clusters", clusters}, {"memory", memory}}.dump();
}

}  // namespace native_ddp
