#include "memory/numa.h"

#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "message.h"

namespace native_ddp {
namespace {

constexpr int kMostNodes = 1024;  // MAX_NUMNODES of any kernel
constexpr int kWordBits = sizeof(unsigned long) * CHAR_BIT;

/** The kernel counts one bit less than it is told. */
constexpr unsigned long kMaskBits = kMostNodes + 1;

using NodeMask = std::vector<unsigned long>;

NodeMask EmptyMask() { return NodeMask(kMostNodes / kWordBits + 1); }

NodeMask MaskOf(const std::vector<int>& nodes) {
  NodeMask mask = EmptyMask();
  for (const int node : nodes) {
    if (node < 0 || node >= kMostNodes) {
      throw std::invalid_argument(Message("Invalid NUMA node: ", node, " (a number from 0 to ", kMostNodes - 1, ")"));
    }
    mask[static_cast<std::size_t>(node / kWordBits)] |= 1UL << (node % kWordBits);
  }
  return mask;
}

/** Of a line such as "Node 0 MemFree:  1234 kB". */
std::uint64_t Kilobytes(const std::string& text, const char* field) {
  const std::size_t at = text.find(std::string(" ") + field + ":");
  if (at == std::string::npos) throw std::runtime_error(Message("the kernel does not say ", field));
  return std::stoull(text.substr(text.find(':', at) + 1));
}

}  // namespace

std::string NodesText(const std::vector<int>& nodes) {
  std::string text = nodes.size() == 1 ? "NUMA node " : "NUMA nodes ";
  for (std::size_t i = 0; i < nodes.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(nodes[i]);
  return text;
}

MemoryPolicy PolicyFor(const std::vector<int>& nodes) {
  return {nodes.size() == 1 ? MPOL_BIND : MPOL_INTERLEAVE, MaskOf(nodes)};
}

void BindMemory(void* address, std::size_t bytes, const std::vector<int>& nodes) {
  const MemoryPolicy policy = PolicyFor(nodes);
  if (syscall(SYS_mbind, address, bytes, policy.mode, policy.nodes.data(), kMaskBits, MPOL_MF_STRICT) != 0) {
    const int error = errno;
    throw PlacementRefused(Message("Cannot bind ", bytes, " bytes to ", NodesText(nodes), ": ",
                                   error == EINVAL ? "this process may not use such nodes" : std::strerror(error)));
  }
}

int NodeOf(const void* address) {
  int node = -1;
  if (syscall(SYS_get_mempolicy, &node, nullptr, 0, address, MPOL_F_NODE | MPOL_F_ADDR) != 0) {
    throw PlacementRefused(Message("Cannot ask for the NUMA node of a page: ", std::strerror(errno)));
  }
  return node;
}

std::uint64_t AvailableBytes(const std::vector<int>& nodes) {
  std::uint64_t kilobytes = 0;
  for (const int node : nodes) {
    const std::string path = Message("/sys/devices/system/node/node", node, "/meminfo");
    std::ifstream file(path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    if (text.empty()) throw PlacementRefused(Message("Cannot use ", NodesText({node}), ": the host has none"));
    try {
      for (const char* field : {"MemFree", "Active(file)", "Inactive(file)"}) kilobytes += Kilobytes(text, field);
    } catch (const std::exception& error) {
      throw PlacementRefused(Message("Cannot read ", path, ": ", error.what()));
    }
  }
  return kilobytes << 10;
}

void PreferMemoryOf(int node) {
  const NodeMask mask = MaskOf({node});
  if (syscall(SYS_set_mempolicy, MPOL_PREFERRED, mask.data(), kMaskBits) != 0) {
    const int error = errno;
    throw PlacementRefused(Message("Cannot prefer the memory of ", NodesText({node}), ": ",
                                   error == EINVAL ? "this process may not use it" : std::strerror(error)));
  }
}

bool PrefersMemory() {
  int mode = MPOL_DEFAULT;
  return syscall(SYS_get_mempolicy, &mode, nullptr, 0, nullptr, 0) == 0 && mode == MPOL_PREFERRED;
}

WithoutPreference::WithoutPreference() : nodes_(EmptyMask()) {
  if (syscall(SYS_get_mempolicy, &mode_, nodes_.data(), kMaskBits, nullptr, 0) != 0 ||
      syscall(SYS_set_mempolicy, MPOL_DEFAULT, nullptr, 0) != 0) {
    throw PlacementRefused(Message("Cannot change where memory comes from: ", std::strerror(errno)));
  }
}

WithoutPreference::~WithoutPreference() {
  const bool none = mode_ == MPOL_DEFAULT;
  syscall(SYS_set_mempolicy, mode_, none ? nullptr : nodes_.data(), none ? 0 : kMaskBits);
}

}  // namespace native_ddp
